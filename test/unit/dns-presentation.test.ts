// RDATA as zone files have it: what dig reads is held against dig in dns-explained.test.ts, here what no zone of a test
// has.
import t from 'tap'
import { TYPE, typeNumber } from '../../scheduler/dns/message/codes.ts'
import { formatData } from '../../scheduler/dns/message/presentation.ts'

function formatted(type: number, hex: string): string {
  return formatData(type, Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

t.test('text is escaped so that it reads as it was, and harms no terminal', (t) => {
  t.equal(formatted(TYPE.TXT, '02 6869 06 22 5c 00 1b 7f ff'), String.raw`"hi" "\"\\\000\027\127\255"`)
  t.equal(formatted(TYPE.NS, '03 61 2e 1b 00'), String.raw`a\.\027.`)
  t.equal(formatted(TYPE.NS, '00'), '.')
  t.end()
})

t.test('numbers are unsigned', (t) => {
  t.equal(formatted(TYPE.SRV, 'ffff 0000 01bb 01 61 00'), '65535 0 443 a.')
  t.equal(formatted(TYPE.A, 'ffffffff'), '255.255.255.255')
  t.equal(
    formatted(TYPE.SOA, '00 00 ffffffff 00000001 00000002 00000003 80000000'),
    '. . 4294967295 1 2 3 2147483648',
  )
  t.end()
})

t.test('a service with parameters that have names and one that has none', (t) => {
  const alpn = '0001 0006 02 6832 02 6833'
  t.equal(
    formatted(TYPE.HTTPS, `0001 00 ${alpn} 0003 0002 20fb 0004 0004 c0000201 0029 0002 2261`),
    String.raw`1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.1 key41="\"a"`,
  )
  t.end()
})

t.test('another type, and what is not as its type has it, is written as octets', (t) => {
  for (const [type, hex, text] of [
    [731, 'c0ffee', String.raw`\# 3 c0ffee`],
    [731, '', String.raw`\# 0`],
    [TYPE.A, 'c00002', String.raw`\# 3 c00002`],
    [TYPE.A, 'c000020101', String.raw`\# 5 c000020101`],
    [TYPE.NS, '03 61', String.raw`\# 2 0361`],
    [TYPE.TXT, '05 61', String.raw`\# 2 0561`],
    [TYPE.HTTPS, '0001 00 0004 0008 c0000201', String.raw`\# 11 00010000040008c0000201`],
  ] as const) {
    t.equal(formatted(type, hex), text, `${type} ${hex}`)
  }
  t.end()
})

t.test('types by their names in any case, and by number', (t) => {
  for (const [text, type] of [
    ['AAAA', 28],
    ['https', 65],
    ['Type65', 65],
    ['TYPE65535', 65535],
    ['TYPE65536', undefined],
    ['TYPE', undefined],
    ['constructor', undefined],
    ['', undefined],
  ] as const) {
    t.equal(typeNumber(text), type, text)
  }
  t.end()
})
