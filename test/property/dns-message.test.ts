// The DNS codec against dns-packet, which shares no code with it: queries that one encodes the other reads as they were
// meant, and so with replies; names and their text.
import assert from 'node:assert/strict'
import { decode, encode } from 'dns-packet'
import type { Answer, DecodedPacket, PacketOpt } from 'dns-packet'
import fc from 'fast-check'
import t from 'tap'
import { RCODE, TYPE } from '../../scheduler/dns/message/codes.ts'
import { formatName, isInside, labelsOf, parentOf, wireNameOf } from '../../scheduler/dns/message/names.ts'
import { readQuery } from '../../scheduler/dns/message/query.ts'
import type { DnsQuery } from '../../scheduler/dns/message/query.ts'
import { prepareSections } from '../../scheduler/dns/message/records.ts'
import type { DnsRecord } from '../../scheduler/dns/message/records.ts'
import { udpReplyBytes, writeReply } from '../../scheduler/dns/message/reply.ts'
import { formatIp, networkOf } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { wire } from '../kit/dns-bytes.ts'

const RUNS = { numRuns: 2000 }

const anyLabel = fc.string({
  unit: fc.nat(255).map((octet) => String.fromCharCode(octet)),
  minLength: 1,
  maxLength: 63,
})
const anyName = fc
  .array(anyLabel, { maxLength: 40 })
  .map((labels) => labels.map((label) => String.fromCharCode(label.length) + label).join(''))
  .filter((name) => name.length < 255)
  .map((name) => `${name}\0`)

/** What dns-packet writes as it is: it knows no escapes, and UTF-8 only. */
const label = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_'.split('')), minLength: 1, maxLength: 12 })
const text = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'))

const word = fc.nat(0xffff_ffff)
const address: fc.Arbitrary<IpAddress> = fc.oneof(
  word.map((d) => ({ family: 4, a: 0, b: 0, c: 0, d }) as const),
  fc.tuple(word, word, word, word).map(([a, b, c, d]) => ({ family: 6, a, b, c, d }) as const),
)
const network = address.chain((address) =>
  fc.nat(address.family === 4 ? 32 : 128).map((prefixLength) => networkOf(address, prefixLength)),
)

const lower = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())

t.test('a name survives its text', async () => {
  fc.assert(
    fc.property(anyName, (name) => {
      assert.equal(wireNameOf(formatName(name)), lower(name))
      assert.match(formatName(name), /^[!-~]+$/)
    }),
    RUNS,
  )
})

t.test('a name is inside its parents and no other', async () => {
  fc.assert(
    fc.property(anyName, anyName, (name, other) => {
      const parents = [name]
      for (let at = parentOf(name); at !== undefined; at = parentOf(at)) parents.push(at)
      assert.equal(parents.length, labelsOf(name).length + 1)
      for (const parent of parents) assert.ok(isInside(name, parent))
      for (let cut = 0; cut < name.length; cut += 1) {
        assert.equal(isInside(name, name.slice(cut)), parents.includes(name.slice(cut)))
      }
      assert.equal(isInside(name, other), parents.includes(other))
    }),
    RUNS,
  )
})

const TYPES = ['A', 'NS', 'CNAME', 'SOA', 'MX', 'TXT', 'AAAA', 'DS', 'RRSIG', 'DNSKEY', 'CAA'] as const
const opcodes = fc.constantFrom(0x0000, 0x0100, 0x0010, 0x0110, 0x0120)
const octets = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array))

interface MeantOptions {
  readonly udpPayloadSize: number
  readonly isDnssecOk: boolean
  readonly subnet: { readonly address: IpAddress; readonly prefixLength: number } | undefined
  readonly cookie: Buffer | undefined
  readonly wantsNsid: boolean
  readonly padding: number
}

const meantOptions: fc.Arbitrary<MeantOptions> = fc.record({
  // dns-packet writes 4096 for 0.
  udpPayloadSize: fc.integer({ min: 1, max: 65_535 }),
  isDnssecOk: fc.boolean(),
  subnet: fc.option(network, { nil: undefined }),
  cookie: fc.option(fc.oneof(octets(8, 8), octets(16, 40)), { nil: undefined }),
  wantsNsid: fc.boolean(),
  padding: fc.nat(40),
})

/** dns-packet knows the codes of all options, its types only four of them. */
function optionOf(code: number, data: Buffer): PacketOpt {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types are what falls short
  return { code, data } as PacketOpt
}

function optOf({ udpPayloadSize, isDnssecOk, subnet, cookie, wantsNsid, padding }: MeantOptions): Answer {
  const options: PacketOpt[] = [optionOf(12, Buffer.alloc(padding))]
  if (cookie !== undefined) options.push(optionOf(10, cookie))
  if (wantsNsid) options.push(optionOf(3, Buffer.alloc(0)))
  if (subnet !== undefined) {
    const { address, prefixLength } = subnet
    options.push({ code: 8, ip: formatIp(address), sourcePrefixLength: prefixLength })
  }
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: isDnssecOk ? 0x8000 : 0,
    flag_do: isDnssecOk,
    options,
  }
}

function queryOf(packet: Buffer): DnsQuery {
  const reading = readQuery(packet, packet.length)
  assert(reading.outcome === 'query', `${reading.outcome}: ${packet.toString('hex')}`)
  return reading
}

t.test('a query of dns-packet is read as it was meant', async () => {
  const query = fc.record({
    id: fc.nat(65_535),
    flags: opcodes,
    name: text,
    type: fc.constantFrom(...TYPES),
    meant: fc.option(meantOptions, { nil: undefined }),
  })
  fc.assert(
    fc.property(query, ({ id, flags, name, type, meant }) => {
      const packet = encode({
        type: 'query',
        id,
        flags,
        questions: [{ type, name }],
        additionals: meant === undefined ? [] : [optOf(meant)],
      })
      const read = queryOf(packet)
      assert.deepEqual([read.id, read.flags, read.class], [id, flags, 1])
      assert.equal(formatName(read.name), `${name.toLowerCase()}.`)
      assert.equal(read.type, TYPE[type])
      const { edns } = read
      assert.equal(edns === undefined, meant === undefined)
      if (edns === undefined || meant === undefined) return
      assert.equal(edns.udpBytes, Math.max(512, meant.udpPayloadSize))
      assert.equal(edns.dnssecOk, meant.isDnssecOk)
      assert.equal(edns.wantsNsid, meant.wantsNsid)
      assert.deepEqual(edns.clientSubnet?.address, meant.subnet?.address)
      assert.equal(edns.clientSubnet?.sourcePrefix, meant.subnet?.prefixLength)
      const { at = 0, bytes = 0 } = edns.cookie ?? {}
      assert.deepEqual(packet.subarray(at, at + bytes), meant.cookie ?? Buffer.alloc(0))
    }),
    RUNS,
  )
})

/** With Object's prototype, which deepEqual looks at. */
function plain<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true })
}

const ttl = fc.nat(0xffff_ffff)
const lowerText = text.map((name) => name.toLowerCase())
/** A record as dns-packet decodes it. */
const record = (name: fc.Arbitrary<string>): fc.Arbitrary<Answer> => {
  const common = { name, ttl, class: fc.constant('IN' as const), flush: fc.constant(false) }
  return fc.oneof(
    plain({ ...common, type: fc.constant('A' as const), data: fc.ipV4() }),
    plain({ ...common, type: fc.constantFrom('NS', 'CNAME'), data: text }),
    plain({
      ...common,
      type: fc.constant('TXT' as const),
      data: fc.array(octets(0, 255), { minLength: 1, maxLength: 3 }),
    }),
    plain({
      ...common,
      type: fc.constant('MX' as const),
      data: plain({ preference: fc.nat(65_535), exchange: text }),
    }),
  )
}

/** With the data as dns-packet writes it: behind a header, the root as owner, and 10 octets. */
function recordOf(answer: Answer): DnsRecord {
  assert(answer.type !== 'OPT')
  const data = encode({ answers: [{ ...answer, name: '.' }] }).subarray(12 + 1 + 10)
  const type = readType(answer.type)
  return { owner: wire(answer.name), type, ttlSeconds: answer.ttl ?? 0, data }
}

function readType(name: string): number {
  const found = Object.entries(TYPE).find(([known]) => known === name)
  assert(found !== undefined)
  return found[1]
}

/** Owners come in the question's case where they point into it. */
function meaningOf(answers: readonly Answer[]): unknown[] {
  return answers.map((answer) => ({ ...answer, name: answer.name.toLowerCase() }))
}

const out = Buffer.alloc(65_535)

t.test('dns-packet decodes a reply as it was meant', async (t) => {
  /** Names below each other, as those of one zone are. */
  const names = fc.tuple(text, lowerText, fc.nat(5)).map(([name, other, cut]) => {
    const shared = name.toLowerCase().split('.').slice(cut).join('.')
    return { name, owners: [name.toLowerCase(), shared || other, other, `${other}.${shared || other}`] }
  })
  const reply = names.chain(({ name, owners }) => {
    const records = fc.array(record(fc.constantFrom(...owners)), { maxLength: 6 })
    return fc.record({
      name: fc.constant(name),
      answer: records,
      authority: records,
      additional: records,
      rcode: fc.constantFrom(...Object.values(RCODE)),
      isAuthoritative: fc.boolean(),
      meant: fc.option(meantOptions, { nil: undefined }),
      bytesMax: fc.option(fc.integer({ min: 512, max: 2000 }), { nil: undefined }),
      scopePrefix: fc.nat(128),
    })
  })
  const seen = { whole: 0, needed: 0, none: 0 }
  fc.assert(
    fc.property(reply, ({ name, answer, authority, additional, rcode, meant, ...wanted }) => {
      const packet = encode({
        type: 'query',
        id: 7,
        flags: 0x0110,
        questions: [{ type: 'A', name }],
        additionals: meant === undefined ? [] : [optOf(meant)],
      })
      const query = queryOf(packet)
      const bytesMax = wanted.bytesMax ?? udpReplyBytes(query)
      const sections = prepareSections(query.name, {
        answer: answer.map(recordOf),
        authority: authority.map(recordOf),
        additional: additional.map(recordOf),
      })
      const options = {
        scopePrefix: wanted.scopePrefix,
        cookie: Buffer.alloc(24, 7),
        nsid: Buffer.from('here'),
      }
      const { isAuthoritative } = wanted
      const end = writeReply(out, packet, query, { rcode, isAuthoritative, sections, options }, bytesMax)
      assert.ok(end <= bytesMax)
      const decoded = decode(out.subarray(0, end))
      assert.equal(decode.bytes, end, 'to its last octet')
      assert.deepEqual([decoded.id, decoded.type], [7, 'response'])
      assert.deepEqual([decoded.flag_aa, decoded.flag_rd, decoded.flag_cd], [isAuthoritative, true, false])
      assert.equal(decoded.questions?.[0]?.name, name)

      const opt = optIn(decoded)
      const others = (decoded.additionals ?? []).filter(({ type }) => type !== 'OPT')
      const isWhole = !decoded.flag_tc
      assert.deepEqual(meaningOf(decoded.answers ?? []), isWhole ? answer : [])
      assert.deepEqual(meaningOf(decoded.authorities ?? []), isWhole ? authority : [])
      if (others.length > 0) assert.deepEqual(meaningOf(others), additional)
      seen[isWhole ? (others.length === additional.length ? 'whole' : 'needed') : 'none'] += 1

      assert.equal(opt === undefined, meant === undefined)
      if (opt === undefined || meant === undefined) return
      const [subnet, nsid, cookie] = [8, 3, 10].map((code) =>
        opt.options.find((option) => option.code === code),
      )
      assert.equal(((out[3] ?? 0) % 16) + 16 * opt.extendedRcode, rcode)
      assert.deepEqual([opt.udpPayloadSize, opt.ednsVersion, opt.flag_do], [1232, 0, meant.isDnssecOk])
      assert.equal(nsid?.data?.toString(), meant.wantsNsid ? 'here' : undefined)
      assert.equal(cookie?.data?.length, meant.cookie === undefined ? undefined : 24)
      assert.equal(subnet === undefined, meant.subnet === undefined)
      if (subnet === undefined || meant.subnet === undefined) return
      assert.ok('ip' in subnet)
      const { prefixLength } = meant.subnet
      assert.equal(subnet.sourcePrefixLength, prefixLength)
      assert.equal(subnet.scopePrefixLength, prefixLength === 0 ? 0 : wanted.scopePrefix)
      assert.equal(subnet.data?.length, 4 + Math.ceil(prefixLength / 8))
    }),
    RUNS,
  )
  for (const [fit, count] of Object.entries(seen)) t.ok(count > 20, `${fit}: ${count}`)
})

function optIn(decoded: DecodedPacket) {
  for (const record of decoded.additionals ?? []) if (record.type === 'OPT') return record
  return undefined
}
