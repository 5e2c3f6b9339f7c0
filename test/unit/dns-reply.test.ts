// Replies of the DNS server, octet by octet: compression, what is left out when it does not fit, and EDNS.
import assert from 'node:assert/strict'
import t from 'tap'
import { EXTENDED_ERROR, RCODE, TYPE } from '../../scheduler/dns/message/codes.ts'
import type { ReplyOptions } from '../../scheduler/dns/message/edns.ts'
import { readQuery } from '../../scheduler/dns/message/query.ts'
import { NO_SECTIONS, prepareSections } from '../../scheduler/dns/message/records.ts'
import type { DnsRecord, Sections } from '../../scheduler/dns/message/records.ts'
import { udpReplyBytes, writeError, writeReply } from '../../scheduler/dns/message/reply.ts'
import type { Asked } from '../../scheduler/dns/message/reply.ts'
import { nameBytes, optBytes, optionBytes, queryBytes, uint16, wire } from '../kit/dns-bytes.ts'
import type { OptParts, QueryParts } from '../kit/dns-bytes.ts'

/** Larger than any reply of these tests; filled, so that octets that were never written show. */
const out = Buffer.alloc(2000, 0xee)

interface Wanted {
  readonly rcode?: number
  readonly isAuthoritative?: boolean
  readonly isTruncated?: boolean
  readonly options?: ReplyOptions
  readonly bytesMax?: number
}

function askedOf(packet: Buffer): Asked {
  const reading = readQuery(packet, packet.length)
  assert(reading.outcome !== 'drop')
  return reading
}

/** What is said to a query, for www.example.com unless it asks for another. */
function replyTo(parts: QueryParts, sections: Sections, wanted: Wanted = {}): Buffer {
  const packet = queryBytes(parts)
  const asked = askedOf(packet)
  const { rcode = 0, isAuthoritative = true, isTruncated, options = {} } = wanted
  const reply = {
    rcode,
    isAuthoritative,
    isTruncated,
    options,
    sections: prepareSections(wire('www.example.com'), sections),
  }
  const end = writeReply(out, packet, asked, reply, wanted.bytesMax ?? udpReplyBytes(asked))
  return Buffer.from(out.subarray(0, end))
}

function record(owner: string, type: number, data: Uint8Array, ttlSeconds = 20): DnsRecord {
  return { owner: wire(owner), type, ttlSeconds, data }
}

const ADDRESS = record('www.example.com', TYPE.A, Buffer.of(192, 0, 2, 1))
/** An answer of so many addresses, 16 octets each. */
const addresses = (count: number) => ({ answer: Array.from({ length: count }, () => ADDRESS) })

/** Of octets written with gaps, for the reader. */
function hex(text: string): string {
  return text.replaceAll(/\s/g, '')
}

/** ID, flags and counts. */
function headOf(reply: Buffer): string {
  return reply.toString('hex', 0, 12)
}

t.test('an answer repeats id, RD and the question as it was asked', (t) => {
  const reply = replyTo({ flags: 0x0130, name: 'wWw.eXAMPLE.com' }, addresses(1))
  t.equal(
    reply.toString('hex'),
    // QR, AA and RD; CD and AD of the query are cleared (RFC 4035 §3.1.6).
    hex(`1234 8500 0001000100000000 ${nameBytes('wWw.eXAMPLE.com').toString('hex')} 00010001`) +
      hex('c00c 00010001 00000014 0004 c0000201'),
  )
  t.end()
})

t.test('owners end in pointers into the question', (t) => {
  const sections = {
    answer: [record('www.example.com', 16, Buffer.of(1, 0x61), 0xffff_ffff)],
    authority: [record('example.com', 2, nameBytes('ns.other'))],
    additional: [
      record('ns.example.com', 1, Buffer.of(1, 2, 3, 4)),
      record('a.org', 1, Buffer.of(5, 6, 7, 8)),
    ],
  }
  const reply = replyTo({}, sections)
  t.equal(headOf(reply), '123484000001000100010002')
  const expected = Buffer.concat([
    Buffer.of(0xc0, 12),
    uint16(16, 1, 0xffff, 0xffff, 2),
    Buffer.of(1, 0x61),
    Buffer.of(0xc0, 16),
    uint16(2, 1, 0, 20, 10),
    nameBytes('ns.other'),
    Buffer.of(2, 0x6e, 0x73, 0xc0, 16),
    uint16(1, 1, 0, 20, 4),
    Buffer.of(1, 2, 3, 4),
    nameBytes('a.org'),
    uint16(1, 1, 0, 20, 4),
    Buffer.of(5, 6, 7, 8),
  ])
  t.equal(reply.toString('hex', 33), expected.toString('hex'))
  const disguised = prepareSections('\x0dx\x07example\x03com\0', { answer: sections.authority })
  t.equal(
    disguised.bytes.subarray(0, 13).toString(),
    nameBytes('example.com').toString(),
    'labels are counted: none of it is in that one label',
  )
  t.equal(prepareSections('\0', { answer: [record('.', 2, Buffer.of(0))] }).bytes[0], 0, 'the root as it is')
  t.end()
})

t.test('what does not fit is left out whole', (t) => {
  // 33 octets up to the question's end, 16 each: 29 of them are 497.
  t.equal(headOf(replyTo({}, addresses(29))), hex('12348400 0001001d00000000'))
  t.equal(replyTo({}, addresses(29)).length, 497)
  const truncated = replyTo({}, addresses(30))
  t.equal(headOf(truncated), hex('12348600 0001000000000000'), 'TC and no records')
  t.equal(truncated.length, 33)

  const opt = { records: [optBytes()] }
  t.equal(replyTo(opt, addresses(74)).length, 33 + 74 * 16 + 11, 'OPT too')
  const withOpt = replyTo(opt, addresses(75))
  t.equal(headOf(withOpt), hex('12348600 0001000000000001'), 'which is kept')
  t.equal(withOpt.length, 44)
  t.equal(headOf(replyTo(opt, addresses(100), { bytesMax: 2000 })), hex('12348400 0001006400000001'), 'TCP')

  const additional = addresses(20).answer
  const answered = replyTo({}, { ...addresses(20), additional })
  t.equal(headOf(answered), hex('12348400 0001001400000000'), 'additional records without TC')
  t.equal(answered.length, 33 + 20 * 16)
  const referral = { authority: [record('example.com', TYPE.NS, nameBytes('ns.example.com'))], additional }
  t.equal(headOf(replyTo({}, referral, { isAuthoritative: false })), hex('12348000 0001000000010014'))
  const glue = { ...referral, additional: addresses(30).answer }
  t.equal(
    headOf(replyTo({}, glue, { isAuthoritative: false })),
    hex('12348200 0001000000000000'),
    'but not glue',
  )
  t.equal(headOf(replyTo({}, glue)), hex('12348400 0001000000010000'))
  t.equal(headOf(replyTo({}, {}, { isTruncated: true })), hex('12348600 0001000000000000'), 'TC as wished')
  t.throws(() => replyTo({}, {}, { bytesMax: 511 }))
  t.throws(() => replyTo({}, {}, { bytesMax: 2001 }))
  t.end()
})

t.test('sizes over UDP', (t) => {
  t.equal(udpReplyBytes(askedOf(queryBytes())), 512)
  for (const [udpBytes, expected] of [
    [0, 512],
    [512, 512],
    [1000, 1000],
    [1232, 1232],
    [4096, 1232],
  ] as const) {
    t.equal(udpReplyBytes(askedOf(queryBytes({ records: [optBytes({ udpBytes })] }))), expected)
  }
  t.end()
})

/** The OPT of an empty reply. */
function optOf(parts: OptParts, options: ReplyOptions, rcode = 0): string {
  return replyTo({ records: [optBytes(parts)] }, {}, { options, rcode }).toString('hex', 33)
}

t.test('OPT of a reply', (t) => {
  t.equal(optOf({ udpBytes: 4096 }, {}), hex('00 0029 04d0 00000000 0000'))
  t.equal(optOf({ flags: 0xffff }, {}), hex('00 0029 04d0 00008000 0000'), 'DO is copied, Z is not')
  t.equal(optOf({ version: 9 }, {}, RCODE.BADVERS), hex('00 0029 04d0 01000000 0000'))
  t.equal(headOf(replyTo({ records: [optBytes()] }, {}, { rcode: RCODE.BADVERS })).slice(4, 8), '8400')
  t.match(optOf({}, {}, RCODE.BADCOOKIE), /^00002904d001/)
  t.equal(headOf(replyTo({ records: [optBytes()] }, {}, { rcode: RCODE.BADCOOKIE })).slice(4, 8), '8407')

  const cookie = Buffer.alloc(24, 0xcc)
  const all = {
    scopePrefix: 22,
    cookie,
    nsid: Buffer.from('ns1'),
    extendedError: { code: EXTENDED_ERROR.NOT_READY, text: 'soon' },
  }
  const none = optOf({}, { ...all, extendedError: undefined })
  t.equal(none, hex('00 0029 04d0 00000000 0000'), 'nothing that was not asked for')
  const asking = [optionBytes(3), optionBytes(8, '00011400c00000'), optionBytes(10, '11'.repeat(8))]
  t.equal(
    optOf({ options: asking }, all),
    hex(`
      00 0029 04d0 00000000 0038
      0008 0007 00011416c00000
      000a 0018 ${cookie.toString('hex')}
      0003 0003 6e7331
      000f 0006 000e 736f6f6e
    `),
  )
  t.match(optOf({ options: asking }, {}), /0000000b0008000700011400c00000$/, 'scope 0 where none is given')
  const unused = optOf({ options: [optionBytes(8, '00020000')] }, { scopePrefix: 48 })
  t.match(unused, /0008000400020000$/, 'and to one who let nothing be used')
  t.end()
})

t.test('the longest question with the longest OPT fits', (t) => {
  const label = `${'x'.repeat(63)}.`
  const options = [
    optionBytes(3),
    optionBytes(8, `00028000${'20'.repeat(16)}`),
    optionBytes(10, '11'.repeat(8)),
  ]
  const packet = queryBytes({
    name: label.repeat(3) + 'x'.repeat(61),
    records: [optBytes({ options })],
  })
  const end = writeError(out, packet, askedOf(packet), RCODE.REFUSED, {
    cookie: Buffer.alloc(40),
    nsid: Buffer.alloc(300, 'n'),
    extendedError: { code: 0, text: 'e'.repeat(300) },
  })
  t.ok(end <= 512, `${end} octets`)
  t.equal(end, 12 + 259 + 11 + 24 + 44 + 68 + 70)
  t.equal(headOf(out), '123480050001000000000001', 'and nothing is missing')
  const tail = out.toString('latin1', end - 134, end)
  t.equal(tail, `${'n'.repeat(64)}\0\x0f\0\x42\0\0${'e'.repeat(64)}`, 'texts are cut')
  t.end()
})

function errorTo(packet: Buffer, rcode: number): string {
  return out.toString('hex', 0, writeError(out, packet, askedOf(packet), rcode))
}

t.test('replies of no records', (t) => {
  const question = queryBytes().toString('hex', 12)
  t.equal(errorTo(queryBytes({ flags: 0x0100 }), RCODE.REFUSED), `123481050001000000000000${question}`)
  t.equal(errorTo(queryBytes(), RCODE.SERVFAIL), `123480020001000000000000${question}`)
  t.equal(errorTo(queryBytes({ flags: 5 << 11 }), RCODE.NOTIMP), `1234a8040001000000000000${question}`)
  t.equal(errorTo(queryBytes({ counts: [0, 0, 0, 0] }), RCODE.FORMERR), '123480010000000000000000')
  t.equal(errorTo(queryBytes({ counts: [1, 0, 0, 1] }), RCODE.FORMERR), `123480010001000000000000${question}`)
  const malformed = queryBytes({ records: [optBytes({ options: [optionBytes(10, '00')], flags: 0x8000 })] })
  t.equal(
    errorTo(malformed, RCODE.FORMERR),
    hex(`123480010001000000000001 ${question} 00 0029 04d0 00008000 0000`),
    'with OPT, for the query had one',
  )
  t.equal(NO_SECTIONS.bytes.length, 0)
  t.end()
})
