// Signed answers, judged by a validating resolver: unbound with the zone's key as trust anchor, keys made by BIND's
// dnssec-keygen.
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { SHOWS, ZONE, dataOf, dig, startDnsCluster } from '../kit/dns-cluster.ts'
import type { DnsCluster } from '../kit/dns-cluster.ts'
import type { TestScope } from '../kit/scope.ts'
import { tempDirectory } from '../kit/temp.ts'
import { startUnbound } from '../kit/unbound.ts'

const LEASED = `leased.${ZONE}`
/** Has no keys: those of the configuration are for the first zone. */
const OTHER_ZONE = 'movies.example.net'

/** Path of the key's files, without their endings. */
async function makeKey(directory: string, ...more: string[]): Promise<string> {
  const args = ['-q', '-K', directory, '-a', 'ECDSAP256SHA256', ...more, ZONE]
  const { stdout } = await promisify(execFile)('dnssec-keygen', args)
  return path.join(directory, stdout.trim())
}

function startSigned(t: TestScope, keys: readonly string[]): Promise<DnsCluster> {
  return startDnsCluster(
    t,
    {
      zones: [OTHER_ZONE],
      dnssec: { keys: keys.map((key) => `${key}.private`) },
      records: [
        { name: 'text', type: 'TXT', data: 'signed' },
        { name: 'film', type: 'CNAME', data: `shows.${ZONE}` },
        { name: '*.wild', type: 'TXT', data: 'of all' },
        { name: '*.alias', type: 'CNAME', data: `text.${ZONE}` },
        { name: 'a.b', type: 'TXT', data: 'below nothing' },
        { name: 'leased', type: 'NS', data: 'ns.example.net' },
        { name: 'over', type: 'CNAME', data: `text.${OTHER_ZONE}` },
        { name: `text.${OTHER_ZONE}.`, type: 'TXT', data: 'not signed' },
      ],
    },
    { properties: [{ ...SHOWS, hosts: [`*.live.${ZONE}`] }] },
  )
}

const directory = await tempDirectory(t)
const key = await makeKey(directory, '-f', 'KSK')
const signed = await startSigned(t, [key])
const [at = ''] = signed.listeners

t.test('every kind of answer validates', async (t) => {
  const unbound = await startUnbound(t, { zones: { [ZONE]: at }, lines: [`trust-anchor-file: ${key}.key`] })
  /** Response code, how many records, and whether they are authentic. */
  const judged = async (query: string) => {
    const { status, answer, flags, text } = await unbound.dig(`${query} +nodnssec +adflag`)
    return [status, answer.length, flags.includes('ad') ? 'authentic' : text]
  }
  const expected = {
    [`shows.${ZONE} A`]: 2,
    [`shows.${ZONE} AAAA`]: 2,
    [`${ZONE} SOA`]: 1,
    [`${ZONE} NS`]: 1,
    [`${ZONE} DNSKEY`]: 1,
    [`film.${ZONE} A`]: 3,
    [`any.live.${ZONE} A`]: 2,
    [`any.wild.${ZONE} TXT`]: 1,
    [`two.labels.wild.${ZONE} TXT`]: 1,
    [`any.alias.${ZONE} TXT`]: 2,
    // No such type: at a name, at one of a wildcard, at the end of a CNAME, at an empty name, at the apex.
    [`shows.${ZONE} TXT`]: 0,
    [`shows.${ZONE} HTTPS`]: 0,
    [`any.wild.${ZONE} MX`]: 0,
    [`film.${ZONE} MX`]: 1,
    [`b.${ZONE} A`]: 0,
    [`${ZONE} A`]: 0,
    [`${LEASED} DS`]: 0,
    // No such name: NOERROR to those that want a proof (RFC 9824).
    [`missing.${ZONE} A`]: 0,
    [`x.y.missing.${ZONE} AAAA`]: 0,
  }
  for (const [query, count] of Object.entries(expected)) {
    t.strictSame(await judged(query), ['NOERROR', count, 'authentic'], query)
  }
})

t.test('a resolver that draws conclusions from proofs draws no wrong ones (RFC 8198)', async (t) => {
  const lines = [`trust-anchor-file: ${key}.key`, 'aggressive-nsec: yes']
  const unbound = await startUnbound(t, { zones: { [ZONE]: at }, lines })
  for (const question of ['shows', `any.live`, 'text', 'b']) await unbound.dig(`${question}.${ZONE} MX`)
  await unbound.dig(`missing.${ZONE} A`)
  const said = async (query: string, type: string) =>
    dataOf((await unbound.dig(`${query}.${ZONE} ${type}`)).answer, type)
  t.equal((await said('shows', 'A')).length, 2)
  t.equal((await said('shows', 'AAAA')).length, 2)
  t.equal((await said('any.live', 'A')).length, 2)
  t.strictSame(await said('text', 'TXT'), ['"signed"'])
  t.strictSame(await said('a.b', 'TXT'), ['"below nothing"'])
})

t.test('what lies in zones without keys is insecure, not bogus', async (t) => {
  const child = await startDnsCluster(t, {
    zone: LEASED,
    records: [{ name: 'www', type: 'A', data: '192.0.2.90' }],
  })
  const zones = { [ZONE]: at, [LEASED]: child.listeners[0] ?? '', [OTHER_ZONE]: at }
  const unbound = await startUnbound(t, { zones, lines: [`trust-anchor-file: ${key}.key`] })
  for (const [query, count] of [
    [`www.${LEASED} A`, 1],
    [`over.${ZONE} TXT`, 2],
  ] as const) {
    const { status, answer, flags } = await unbound.dig(`${query} +adflag`)
    t.strictSame([status, answer.length, flags.includes('ad')], ['NOERROR', count, false], query)
  }
  const referral = await dig(signed.port, `www.${LEASED} A +dnssec`)
  t.strictSame(
    referral.authority.map((record) => record.split(' ')[3]),
    ['NS', 'NSEC', 'RRSIG'],
    'the proof that there is no DS comes with the referral',
  )
})

t.test('a zone with a key for keys and one for the rest', async (t) => {
  const keys = [await makeKey(directory, '-f', 'KSK'), await makeKey(directory)]
  const { listeners } = await startSigned(t, keys)
  const lines = [`trust-anchor-file: ${keys[0]}.key`]
  const unbound = await startUnbound(t, { zones: { [ZONE]: listeners[0] ?? '' }, lines })
  for (const query of [`shows.${ZONE} A`, `${ZONE} DNSKEY`, `missing.${ZONE} A`]) {
    const { status, flags } = await unbound.dig(`${query} +adflag`)
    t.strictSame([status, flags.includes('ad')], ['NOERROR', true], query)
  }
})

t.test('with another key than the resolver knows nothing is believed', async (t) => {
  const other = await makeKey(directory, '-f', 'KSK')
  const unbound = await startUnbound(t, { zones: { [ZONE]: at }, lines: [`trust-anchor-file: ${other}.key`] })
  for (const query of [`shows.${ZONE} A`, `missing.${ZONE} A`, `text.${ZONE} TXT`]) {
    t.equal((await unbound.dig(query)).status, 'SERVFAIL', query)
  }
  t.equal((await unbound.dig(`shows.${ZONE} A +cdflag`)).status, 'NOERROR', 'unless it is told not to check')
})

t.test('those that do not ask for signatures get none, and NXDOMAIN', async (t) => {
  const plain = await dig(signed.port, `shows.${ZONE} A`)
  t.strictSame(dataOf(plain.answer, 'RRSIG'), [])
  const missing = await dig(signed.port, `missing.${ZONE} A`)
  t.strictSame([missing.status, missing.authority.length], ['NXDOMAIN', 1])
})
