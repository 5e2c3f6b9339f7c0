// Names and queries of the DNS server: what is read of their octets, and what is wrong with those that are refused.
import t from 'tap'
import { rcodeName, typeName } from '../../scheduler/dns/message/codes.ts'
import {
  ROOT,
  formatName,
  isInside,
  labelCount,
  labelsOf,
  parentOf,
  wireNameOf,
} from '../../scheduler/dns/message/names.ts'
import { readQuery } from '../../scheduler/dns/message/query.ts'
import type { Edns } from '../../scheduler/dns/message/edns.ts'
import { nameBytes, optBytes, optionBytes, queryBytes, uint16, watched, wire } from '../kit/dns-bytes.ts'
import type { OptParts, QueryParts } from '../kit/dns-bytes.ts'

function outcomeOf(parts: QueryParts): string {
  const bytes = queryBytes(parts)
  return readQuery(watched(bytes), bytes.length).outcome
}

function ednsOf(parts: OptParts): { outcome: string; edns: Edns | undefined } {
  const bytes = queryBytes({ records: [optBytes(parts)] })
  const reading = readQuery(watched(bytes), bytes.length)
  return { outcome: reading.outcome, edns: reading.outcome === 'drop' ? undefined : reading.edns }
}

t.test('names from text', (t) => {
  t.equal(wireNameOf('www.Example.COM'), '\x03www\x07example\x03com\0')
  t.equal(wireNameOf('www.example.com.'), '\x03www\x07example\x03com\0', 'with the final dot')
  t.equal(wireNameOf('.'), ROOT)
  t.equal(wireNameOf('a\\.B.c'), '\x03a.b\x01c\0', 'an escaped dot parts no labels')
  t.equal(wireNameOf('a.c\\.'), '\x01a\x02c.\0', 'not at the end either')
  t.equal(wireNameOf('\\065\\200\\000.\\\\'), '\x03a\xc8\0\x01\\\0', 'octets, of which only ASCII has a case')
  for (const text of ['', '..', '.a', 'a..b', 'a b', 'ä', 'a\\', 'a\\1', 'a\\25', 'a\\256', '\x7f']) {
    t.equal(wireNameOf(text), undefined, JSON.stringify(text))
  }
  const label = 'x'.repeat(63)
  t.equal(wireNameOf(label)?.length, 65)
  t.equal(wireNameOf(`${label}x`), undefined, 'a label of 64')
  const longest = `${label}.${label}.${label}.${'x'.repeat(61)}`
  t.equal(wireNameOf(longest)?.length, 255)
  t.equal(wireNameOf(`${longest}x`), undefined, 'a name of 256')
  t.end()
})

t.test('names to text and among each other', (t) => {
  t.equal(formatName(ROOT), '.')
  t.equal(formatName('\x03a.b\x04\\"\x00\xc8\x01c\0'), 'a\\.b.\\\\\\"\\000\\200.c.')
  const name = wire('www.example.com')
  t.strictSame(labelsOf(name), ['www', 'example', 'com'])
  t.equal(labelCount(name), 3)
  t.strictSame([labelsOf(ROOT), labelCount(ROOT)], [[], 0])
  t.equal(parentOf(name), wire('example.com'))
  t.equal(parentOf(wire('com')), ROOT)
  t.equal(parentOf(ROOT), undefined)
  t.ok(isInside(name, name))
  t.ok(isInside(name, wire('example.com')))
  t.ok(isInside(name, ROOT))
  t.notOk(isInside(wire('example.com'), name))
  t.notOk(isInside(wire('www.notexample.com'), wire('example.com')))
  const disguised = '\x0fwww\x07example\x03com\x03org\0'
  t.notOk(isInside('\x0dx\x07example\x03com\0', wire('example.com')), 'a label that looks like labels')
  t.notOk(isInside(disguised, wire('com.org')))
  t.ok(isInside(disguised, wire('org')))
  t.end()
})

t.test('numbers by name', (t) => {
  t.strictSame([typeName(28), typeName(731)], ['AAAA', 'TYPE731'])
  t.strictSame([rcodeName(3), rcodeName(11)], ['NXDOMAIN', 'RCODE11'])
  t.end()
})

t.test('a query of dig', (t) => {
  // dig +subnet=192.0.2.77/20 +nsid +dnssec a.b, which clears the bits behind the prefix.
  const bytes = Buffer.from(
    'e4bf0120000100000000000101610162000001000100002904d000008000001b000300000008000700011400c00000000a0008bdc8512a43219dbf',
    'hex',
  )
  t.strictSame(readQuery(bytes, bytes.length), {
    outcome: 'query',
    id: 0xe4bf,
    flags: 0x0120,
    name: wire('a.b'),
    type: 1,
    class: 1,
    questionEnd: 21,
    edns: {
      udpBytes: 1232,
      version: 0,
      dnssecOk: true,
      clientSubnet: {
        address: { family: 4, a: 0, b: 0, c: 0, d: 0xc0000000 },
        sourcePrefix: 20,
        place: { at: 40, bytes: 7 },
      },
      cookie: { at: 51, bytes: 8 },
      wantsNsid: true,
      isMalformed: false,
    },
  })
  for (let length = 0; length < bytes.length; length += 1) {
    const { outcome } = readQuery(bytes, length)
    t.equal(outcome, length < 12 ? 'drop' : 'formerr', `cut after ${length}`)
    t.equal(readQuery(bytes.subarray(0, length), bytes.length).outcome, outcome, 'nor read past its end')
  }
  t.end()
})

t.test('headers and questions', (t) => {
  const upper = queryBytes({ name: 'WwW.eXample.COM', flags: 0x0110 })
  t.match(readQuery(upper, upper.length), { name: wire('www.example.com'), flags: 0x0110, edns: undefined })
  t.equal(outcomeOf({ name: '.' }), 'query')
  t.equal(outcomeOf({ flags: 0x8000 }), 'drop', 'an answer')
  t.equal(outcomeOf({ flags: 0x8000 | (4 << 11) }), 'drop', 'and one to NOTIFY')
  for (let opcode = 1; opcode < 16; opcode += 1) t.equal(outcomeOf({ flags: opcode << 11 }), 'notimp')
  const bare = Buffer.concat([uint16(1, 15 << 11, 0, 0, 0, 0)])
  t.match(readQuery(bare, 12), { outcome: 'notimp', questionEnd: 12 }, 'a header alone')
  const update = queryBytes({ flags: 5 << 11 })
  t.match(readQuery(update, update.length), { outcome: 'notimp', questionEnd: 33 })
  t.equal(outcomeOf({ counts: [0, 0, 0, 0] }), 'formerr')
  t.equal(outcomeOf({ counts: [2, 0, 0, 0] }), 'formerr')
  t.equal(outcomeOf({ name: Buffer.of(1, 0x61, 0xc0, 0x0c) }), 'formerr', 'a pointer')
  t.equal(outcomeOf({ name: Buffer.of(0xc0, 0x04) }), 'formerr', 'a pointer to zeros')
  t.equal(outcomeOf({ name: Buffer.of(0x41, 0x61, 0) }), 'formerr', 'an extended label')
  t.equal(outcomeOf({ name: nameBytes(`${'x'.repeat(63)}.a`) }), 'query')
  t.equal(outcomeOf({ name: nameBytes(`${'x'.repeat(64)}.a`) }), 'formerr')
  const label = `${'x'.repeat(63)}.`
  t.equal(outcomeOf({ name: nameBytes(label.repeat(3) + 'x'.repeat(61)) }), 'query', '255 octets')
  t.equal(outcomeOf({ name: nameBytes(label.repeat(3) + 'x'.repeat(62)) }), 'formerr', '256 octets')
  t.end()
})

/** Of any type but OPT, 12 octets of data; its owner ends in a pointer. */
const other = (type: number) =>
  Buffer.concat([Buffer.of(1, 0x61, 0xc0, 0x0c), uint16(type, 255, 0, 0, 12), Buffer.alloc(12, 0xff)])

t.test('what follows the question', (t) => {
  const opt = optBytes()
  t.equal(outcomeOf({ records: [opt, other(250)] }), 'query', 'TSIG is skipped')
  t.equal(outcomeOf({ records: [other(24), opt] }), 'query', 'and SIG(0)')
  t.equal(outcomeOf({ records: [opt], counts: [1, 0, 0, 0] }), 'formerr', 'octets left over')
  t.equal(outcomeOf({ records: [opt, Buffer.of(0)], counts: [1, 0, 0, 1] }), 'formerr')
  t.equal(outcomeOf({ records: [opt], counts: [1, 0, 0, 2] }), 'formerr', 'too few records')
  t.equal(outcomeOf({ records: Array.from({ length: 8 }, () => other(1)) }), 'query')
  t.equal(outcomeOf({ records: Array.from({ length: 9 }, () => other(1)) }), 'formerr')
  t.equal(outcomeOf({ records: [other(1)], counts: [1, 1, 0, 0] }), 'formerr', 'answers')
  t.equal(outcomeOf({ records: [other(6)], counts: [1, 0, 1, 0] }), 'formerr', 'authority')
  t.equal(outcomeOf({ records: [other(6)], counts: [1, 0, 1, 0], type: 251 }), 'query', 'but for IXFR')
  t.equal(outcomeOf({ records: [other(6), other(6)], counts: [1, 0, 2, 0], type: 251 }), 'formerr')
  t.equal(outcomeOf({ records: [opt], counts: [1, 0, 1, 0], type: 251 }), 'formerr', 'an OPT there')
  t.equal(outcomeOf({ records: [opt, opt] }), 'formerr', 'two OPTs')
  t.equal(outcomeOf({ records: [optBytes({ owner: nameBytes('a') })] }), 'formerr', 'an OPT of a name')
  t.equal(outcomeOf({ records: [optBytes({ owner: Buffer.of(0xc0, 0x1c) })] }), 'formerr', 'or a pointer')
  const withOwner = (owner: Buffer) => outcomeOf({ records: [Buffer.concat([owner, other(1).subarray(4)])] })
  t.equal(withOwner(nameBytes('x'.repeat(63))), 'query')
  t.equal(withOwner(nameBytes('x'.repeat(64))), 'formerr', 'a label of 64')
  t.equal(withOwner(nameBytes('x'.repeat(128))), 'formerr')
  const labels = `${'x'.repeat(63)}.`.repeat(3)
  t.equal(withOwner(nameBytes(labels + 'x'.repeat(61))), 'query', '255 octets')
  t.equal(withOwner(nameBytes(labels + 'x'.repeat(62))), 'formerr', '256 octets')
  const twice = queryBytes({ records: [optBytes({ flags: 0x8000 }), opt] })
  t.match(readQuery(twice, twice.length), { edns: { dnssecOk: true }, questionEnd: 33 }, 'for the reply')
  t.end()
})

t.test('OPT', (t) => {
  t.match(ednsOf({ udpBytes: 0 }), { outcome: 'query', edns: { udpBytes: 512, dnssecOk: false } })
  t.match(ednsOf({ udpBytes: 65_535, flags: 0x7fff }).edns, { udpBytes: 65_535, dnssecOk: false })
  t.match(
    ednsOf({ version: 1, options: [optionBytes(8, 'ff')] }),
    { outcome: 'query', edns: { version: 1, clientSubnet: undefined } },
    'options of another version are not read',
  )
  t.match(ednsOf({ options: [optionBytes(65_001, '00'), optionBytes(65_001), optionBytes(11)] }), {
    outcome: 'query',
  })
  t.match(ednsOf({ options: [optionBytes(3, '00')] }), { outcome: 'formerr', edns: { isMalformed: true } })
  t.equal(ednsOf({ options: [Buffer.of(0, 3, 0)] }).outcome, 'formerr', 'half an option')
  t.equal(ednsOf({ options: [Buffer.of(0, 9, 0, 1)] }).outcome, 'formerr', 'one longer than OPT')
  t.end()
})

const ipv4 = (d: number) => ({ family: 4, a: 0, b: 0, c: 0, d })

t.test('Client Subnet', (t) => {
  const subnetOf = (hex: string) => {
    const { outcome, edns } = ednsOf({ options: [optionBytes(8, hex)] })
    return outcome === 'query' ? edns?.clientSubnet : outcome
  }
  t.match(subnetOf('00011800c00002'), { address: ipv4(0xc0000200), sourcePrefix: 24 })
  t.match(subnetOf('00012000c00002ff'), { address: ipv4(0xc00002ff), sourcePrefix: 32 })
  t.match(subnetOf('0001010080'), { address: ipv4(0x80000000), sourcePrefix: 1 })
  t.match(subnetOf('00010000'), { address: ipv4(0), sourcePrefix: 0 })
  t.match(subnetOf('00020000'), { address: { family: 6, a: 0, b: 0, c: 0, d: 0 }, sourcePrefix: 0 })
  t.match(subnetOf('0002380020010db8000100'), { address: { family: 6, a: 0x20010db8, b: 0x10000 } })
  t.match(subnetOf(`00028000${'0'.repeat(20)}ffffc0000201`), {
    address: { family: 6, a: 0, b: 0, c: 0xffff, d: 0xc0000201 },
    sourcePrefix: 128,
  })
  for (const [hex, what] of [
    ['', 'empty'],
    ['000118', 'no head'],
    ['00000000', 'family 0'],
    ['00031800c00002', 'family 3'],
    ['00011818c00002', 'a scope'],
    ['00012100c0000201', '/33'],
    [`00028100${'0'.repeat(32)}`, '/129'],
    ['00011800c000', 'an octet too few'],
    ['00011800c0000200', 'an octet too many'],
    ['0001000000', 'one at /0'],
    ['00011400c00008', 'a bit set behind /20'],
    ['0001010081', 'behind /1'],
  ] as const) {
    t.equal(subnetOf(hex), 'formerr', what)
  }
  const again = optionBytes(8, '00010000')
  t.equal(ednsOf({ options: [again, again] }).outcome, 'formerr', 'twice')
  t.end()
})

t.test('cookies', (t) => {
  for (let bytes = 0; bytes <= 48; bytes += 1) {
    const right = bytes === 8 || (bytes >= 16 && bytes <= 40)
    const { outcome, edns } = ednsOf({ options: [optionBytes(10, '5a'.repeat(bytes))] })
    t.equal(outcome, right ? 'query' : 'formerr', `${bytes} octets`)
    if (right) t.strictSame(edns?.cookie, { at: 48, bytes })
  }
  const cookie = optionBytes(10, '5a'.repeat(8))
  t.equal(ednsOf({ options: [cookie, cookie] }).outcome, 'formerr', 'twice')
  t.end()
})
