// Signing of a zone's answers: every signature is checked by a verifier on dns-packet's encoding, and a whole zone by
// BIND's dnssec-verify.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Answer } from 'dns-packet'
import t from 'tap'
import { canonicalOctets } from '../../scheduler/dns/dnssec/canonical.ts'
import { nsecData } from '../../scheduler/dns/dnssec/denial.ts'
import { loadZoneKeys } from '../../scheduler/dns/dnssec/keys.ts'
import { ZoneSigner } from '../../scheduler/dns/dnssec/zone-signer.ts'
import { TYPE } from '../../scheduler/dns/message/codes.ts'
import { formatName } from '../../scheduler/dns/message/names.ts'
import type { DnsRecord } from '../../scheduler/dns/message/records.ts'
import { systemClock } from '../../src/clock.ts'
import { dnskeyTag, makeDnssecKey } from '../kit/dnssec-key.ts'
import { recordOf, rrsigOf, signatureHolds, wireName } from '../kit/dnssec-verify.ts'
import { findProgram } from '../kit/programs.ts'
import { tempDirectory } from '../kit/temp.ts'

const run = promisify(execFile)
const directory = await tempDirectory(t)
const ZONE = wireName('cdn.example')
const NOW = Date.UTC(2026, 2, 1, 10)
const HOUR_MS = 3_600_000
const csk = await makeDnssecKey(directory, 'cdn.example')
const zsk = await makeDnssecKey(directory, 'cdn.example', 256)

async function signerWith(...files: string[]): Promise<ZoneSigner> {
  return new ZoneSigner(await loadZoneKeys(ZONE, files))
}

function a(name: string, address: string, ttl = 20): Answer {
  return { type: 'A', name, ttl, class: 'IN', data: address }
}

t.test('the signature of RFC 6605 §6.1 is one over the canonical form', async (t) => {
  const point = 'GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=='
  const dnskey = Buffer.concat([Buffer.from([1, 1, 3, 13]), Buffer.from(point, 'base64')])
  const signature = 'qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw=='
  const rrsig = {
    type: 'RRSIG',
    name: 'www.example.net',
    ttl: 3600,
    data: {
      typeCovered: 'A',
      algorithm: 13,
      labels: 3,
      originalTTL: 3600,
      expiration: Date.UTC(2010, 8, 9, 10, 4, 39) / 1000,
      inception: Date.UTC(2010, 7, 12, 10, 4, 39) / 1000,
      keyTag: 55648,
      signersName: 'example.net',
      signature: Buffer.from(signature, 'base64'),
    },
  } as const
  const record = a('www.example.net', '192.0.2.1', 3600)
  t.ok(signatureHolds(rrsig, [record], dnskey), 'the verifier of these tests takes it')
  t.notOk(signatureHolds(rrsig, [a('www.example.net', '192.0.2.1', 3601)], dnskey), 'and nothing else')
  const own = recordOf(record)
  const octets = canonicalOctets({ ...own, data: [own.data] })
  t.strictSame(octets.subarray(own.owner.length + 10), Buffer.from([192, 0, 2, 1]))
})

t.test('every type has a signature that a resolver takes, names in data lower-cased', async (t) => {
  const signer = await signerWith(csk.private)
  const [dnskey] = signer.dnskey
  const name = 'vod.cdn.example'
  const rest = { serial: 7, refresh: 3600, retry: 600, expire: 86_400, minimum: 60 }
  const common = { name, ttl: 300, class: 'IN' } as const
  /** As sent, and as signed. */
  const cases: [Answer, Answer][] = [
    [a(name, '192.0.2.1'), a(name, '192.0.2.1')],
    [
      { ...common, type: 'AAAA', data: '2001:db8::4A' },
      { ...common, type: 'AAAA', data: '2001:db8::4a' },
    ],
    [
      { ...common, type: 'TXT', data: 'Capital Letters STAY' },
      { ...common, type: 'TXT', data: 'Capital Letters STAY' },
    ],
    [
      { ...common, type: 'CAA', data: { flags: 0, tag: 'issue', value: 'CA.example' } },
      { ...common, type: 'CAA', data: { flags: 0, tag: 'issue', value: 'CA.example' } },
    ],
    [
      { ...common, type: 'CNAME', data: 'Edge.Other.EXAMPLE' },
      { ...common, type: 'CNAME', data: 'edge.other.example' },
    ],
    [
      { ...common, type: 'NS', data: 'NS1.cdn.example' },
      { ...common, type: 'NS', data: 'ns1.cdn.example' },
    ],
    [
      { ...common, type: 'MX', data: { preference: 0x4142, exchange: 'MAIL.cdn.example' } },
      { ...common, type: 'MX', data: { preference: 0x4142, exchange: 'mail.cdn.example' } },
    ],
    [
      {
        ...common,
        type: 'SRV',
        data: { priority: 0x41, weight: 0x42, port: 0x4344, target: 'T.cdn.example' },
      },
      {
        ...common,
        type: 'SRV',
        data: { priority: 0x41, weight: 0x42, port: 0x4344, target: 't.cdn.example' },
      },
    ],
    [
      { ...common, type: 'SOA', data: { mname: 'NS1.cdn.example', rname: 'Ops.cdn.example', ...rest } },
      { ...common, type: 'SOA', data: { mname: 'ns1.cdn.example', rname: 'ops.cdn.example', ...rest } },
    ],
    [
      // The serial's octets are letters, and no names.
      { ...common, type: 'SOA', data: { mname: 'n.x', rname: 'o.x', ...rest, serial: 0x41424344 } },
      { ...common, type: 'SOA', data: { mname: 'n.x', rname: 'o.x', ...rest, serial: 0x41424344 } },
    ],
  ]
  for (const [sent, signed] of cases) {
    const [record, ...others] = signer.sign([recordOf(sent)], NOW)
    t.strictSame(others, [])
    if (record === undefined || dnskey === undefined) throw new Error(`${sent.type} is not signed`)
    const rrsig = rrsigOf(record)
    t.match(rrsig, {
      name,
      data: { typeCovered: sent.type, algorithm: 13, labels: 3, signersName: 'cdn.example' },
    })
    t.ok(signatureHolds(rrsig, [signed], dnskey.data), sent.type)
  }
})

t.test('a set has one signature: sorted, each record once, in whatever order it is sent', async (t) => {
  const signer = await signerWith(csk.private)
  const name = 'live.cdn.example'
  const set = ['198.51.100.7', '192.0.2.200', '192.0.2.3'].map((address) => a(name, address))
  const records = set.map(recordOf)
  const [first] = signer.sign(records, NOW)
  if (first === undefined) throw new Error('not signed')
  t.ok(signatureHolds(rrsigOf(first), set, signer.dnskey[0]?.data ?? Buffer.alloc(0)))
  t.strictSame(signer.sign([...records, ...records].toReversed(), NOW), [first])
  t.equal(signer.signaturesMade, 1)

  const lives = [a(name, '192.0.2.3', 60), a(name, '192.0.2.200', 20)].map(recordOf)
  t.match(signer.sign(lives, NOW), [{ ttlSeconds: 20 }], 'the shortest lifetime of a set is that of all')
})

t.test('a message of several sets: each is signed, what is outside the zone is not', async (t) => {
  const signer = await signerWith(csk.private)
  const common = { ttl: 20, class: 'IN' } as const
  const records = [
    recordOf({ ...common, type: 'CNAME', name: 'vod.cdn.example', data: 'edge.other.example' }),
    recordOf(a('edge.other.example', '192.0.2.1')),
    recordOf(a('xcdn.example', '192.0.2.1')),
    recordOf(a('live.cdn.example', '192.0.2.1')),
    recordOf({ ...common, type: 'AAAA', name: 'live.cdn.example', data: '2001:db8::1' }),
  ]
  const signatures = signer.sign(records, NOW)
  t.strictSame(
    signatures.map((record) => `${formatName(record.owner)} ${rrsigOf(record).data.typeCovered}`),
    ['vod.cdn.example. CNAME', 'live.cdn.example. A', 'live.cdn.example. AAAA'],
  )
  t.strictSame(signer.sign(signatures, NOW), [], 'a signature has none')
})

t.test('neither the root nor a wildcard is a label', async (t) => {
  const signer = await signerWith(csk.private)
  const labels = (name: string) => {
    const [record] = signer.sign([recordOf(a(name, '192.0.2.1'))], NOW)
    return record === undefined ? undefined : rrsigOf(record).data.labels
  }
  t.equal(labels('cdn.example'), 2)
  t.equal(labels('*.cdn.example'), 2)
  t.equal(labels('*x.cdn.example'), 3)
  t.equal(labels('a.*.cdn.example'), 4)
})

t.test('a signature is used again for six hours, and always holds for days', async (t) => {
  const signer = await signerWith(csk.private)
  const records = [recordOf(a('vod.cdn.example', '192.0.2.1'))]
  const start = Math.floor(NOW / (6 * HOUR_MS)) * 6 * HOUR_MS
  const [first] = signer.sign(records, start)
  t.strictSame(signer.sign(records, start + 6 * HOUR_MS - 1), [first])
  t.equal(signer.signaturesMade, 1)
  const [second] = signer.sign(records, start + 6 * HOUR_MS)
  t.equal(signer.signaturesMade, 2)
  if (first === undefined || second === undefined) throw new Error('not signed')
  t.equal(rrsigOf(first).data.inception, start / 1000 - 3600)
  t.equal(rrsigOf(first).data.expiration, start / 1000 + 7 * 86_400)
  t.equal(rrsigOf(second).data.inception, rrsigOf(first).data.inception + 6 * 3600)

  const afterWrap = signer.sign(records, 2 ** 32 * 1000)
  t.ok(
    afterWrap.every((record) => rrsigOf(record).data.expiration <= 7 * 86_400),
    'times begin anew in 2106',
  )
})

t.test('a flood of names that do not exist pushes out no signature of an answer', async (t) => {
  const signer = await signerWith(csk.private)
  const records = [recordOf(a('vod.cdn.example', '192.0.2.1'))]
  signer.sign(records, NOW)
  const names = Array.from({ length: 20_000 }, (_, i) => `${wireName(`r${i}`).slice(0, -1)}${ZONE}`)
  for (const name of names) signer.denial(name, 'no-such-name', 60, NOW)
  const made = signer.signaturesMade
  t.equal(made, 1 + names.length)
  signer.sign(records, NOW)
  signer.denial(names.at(-1) ?? '', 'no-such-name', 60, NOW)
  t.equal(signer.signaturesMade, made, 'nor the newest of denials')
  signer.denial(names[0] ?? '', 'no-such-name', 60, NOW)
  t.equal(signer.signaturesMade, made + 1, 'the oldest is forgotten')
})

t.test('the set of keys is signed by KSKs, all else by ZSKs', async (t) => {
  const other = await makeDnssecKey(directory, 'cdn.example')
  const signer = await signerWith(csk.private, zsk.private, other.private)
  t.equal(signer.dnskey.length, 3)
  t.equal(signer.ds.length, 2)
  const flagsOf = (record: DnsRecord) => {
    const { keyTag } = rrsigOf(record).data
    const key = signer.dnskey.find(({ data }) => dnskeyTag(data) === keyTag)
    return Buffer.from(key?.data ?? []).readUInt16BE(0)
  }
  t.strictSame(signer.sign(signer.dnskey, NOW).map(flagsOf), [257, 257])
  t.strictSame(signer.sign([recordOf(a('vod.cdn.example', '192.0.2.1'))], NOW).map(flagsOf), [256])
})

t.test('BIND takes a whole zone of it, with two keys and with one', async (t) => {
  const program = findProgram(['dnssec-verify'])
  if (program === undefined) {
    t.fail('dnssec-verify is not installed (bind9-utils)')
    return
  }
  const two = await signerWith(csk.private, zsk.private)
  const file = path.join(directory, 'zone')
  await writeFile(file, zoneText(two, systemClock.now()))
  const verified = await run(program, ['-o', 'cdn.example', file])
  t.match(verified.stderr + verified.stdout, /ZSKs: 1 active/)

  await writeFile(file, zoneText(await signerWith(csk.private), systemClock.now()))
  // -z: a key that signs the keys may sign the rest too.
  await t.resolves(run(program, ['-z', '-o', 'cdn.example', file]))

  await writeFile(file, zoneText(two, systemClock.now()).replace('C0000201', 'C0000202'))
  await t.rejects(run(program, ['-o', 'cdn.example', file]), 'and no forged one')
})

/** A zone file, each record as RFC 3597 writes unknown ones, with a chain of NSECs as BIND demands. */
function zoneText(signer: ZoneSigner, nowMs: number): string {
  const common = { name: 'cdn.example', ttl: 300, class: 'IN' } as const
  const rest = { serial: 7, refresh: 3600, retry: 600, expire: 86_400, minimum: 60 }
  const plain = [
    recordOf({
      ...common,
      type: 'SOA',
      data: { mname: 'NS1.cdn.example', rname: 'ops.cdn.example', ...rest },
    }),
    recordOf({ ...common, type: 'NS', data: 'NS1.cdn.example' }),
    recordOf({ ...common, type: 'CAA', data: { flags: 0, tag: 'issue', value: 'ca.example' } }),
    ...signer.dnskey,
    recordOf({
      ...common,
      name: 'mail.cdn.example',
      type: 'MX',
      data: { preference: 1, exchange: 'NS1.cdn.example' },
    }),
    recordOf(a('ns1.cdn.example', '192.0.2.1')),
    recordOf(a('ns1.cdn.example', '192.0.2.9')),
    recordOf({ ...common, name: 'ns1.cdn.example', type: 'TXT', data: ['v=1', 'Edge'] }),
    recordOf(a('*.vod.cdn.example', '198.51.100.4')),
  ]
  // In canonical order, as they stand above; vod.cdn.example has no records of its own.
  const owners = [...new Set(plain.map(({ owner }) => owner))]
  const chain = owners.map((owner, i): DnsRecord => {
    const types = plain.filter((record) => record.owner === owner).map(({ type }) => type)
    const data = nsecData(owners[i + 1] ?? ZONE, [...types, TYPE.NSEC, TYPE.RRSIG])
    return { owner, type: TYPE.NSEC, ttlSeconds: 60, data }
  })
  const records = [...plain, ...chain]
  return [...records, ...signer.sign(records, nowMs)]
    .map(({ owner, type, ttlSeconds, data }) => {
      const hex = Buffer.from(data).toString('hex').toUpperCase()
      return `${formatName(owner)} ${ttlSeconds} IN TYPE${type} \\# ${data.length} ${hex}\n`
    })
    .join('')
}
