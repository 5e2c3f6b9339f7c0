// What holds of every steered answer over DNS, for any fleet and client: no edge that may not serve is in it, it is not
// empty while one can, all clients of the scope that it states would get the same, and what is prepared is nobody else's
// and no older than half a second.
import { decode } from 'dns-packet'
import fc from 'fast-check'
import t from 'tap'
import { NO_DEMAND } from '../../scheduler/choose/demand.ts'
import type { Demand } from '../../scheduler/choose/demand.ts'
import { rcodeName } from '../../scheduler/dns/message/codes.ts'
import { contains, formatIp, ipBytes, parseNetwork } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { addressesSharing } from '../kit/border-addresses.ts'
import { site } from '../kit/choosing.ts'
import type { Said } from '../kit/choosing.ts'
import { optBytes, optionBytes, queryBytes } from '../kit/dns-bytes.ts'
import { ip, makeSigner, responderRig } from '../kit/dns-responder.ts'
import type { Moment, ResponderRig, RigOptions } from '../kit/dns-responder.ts'
import { edgeEntry } from '../kit/scheduler.ts'

const SITES = [
  site('a', 50, 8, { networks: ['192.0.2.0/26', '198.51.100.0/24'] }),
  site('b', 48, 2, { networks: ['203.0.113.0/24', '2001:db8::/32', '192.0.2.64/26'] }),
  site('c', 35, 139, { networks: ['198.51.0.0/16', '2001:db8:1:8000::/50'] }),
]
const IDS = ['a-0', 'a-1', 'a-2', 'b-0', 'b-1', 'b-2', 'c-0']
const CLIENTS = [
  '192.0.2.9',
  '192.0.2.70',
  '192.0.2.200',
  '198.51.100.7',
  '198.51.9.9',
  '203.0.113.9',
  '8.8.8.8',
]
  .concat(['2001:db8::7', '2001:db8:1::7', '2001:db8:1:8001::7', '2400::1', '10.0.0.1'])
  .map(ip)

/** Different ones of each edge. */
function addressesOf(index: number, ipv4: number, ipv6: number): string[] {
  return [
    ...Array.from({ length: ipv4 }, (_, i) => `100.64.${index}.${i + 1}`),
    ...Array.from({ length: ipv6 }, (_, i) => `2001:db8:ffff:${index}::${i + 1}`),
  ]
}

interface Traits {
  ipv4: number
  ipv6: number
  weight: number
  capabilities: string[]
  pinned: string[]
}

const anyTraits: fc.Arbitrary<Traits> = fc.record({
  ipv4: fc.constantFrom(0, 1, 1, 2, 3),
  ipv6: fc.constantFrom(0, 0, 1, 2),
  weight: fc.constantFrom(0, 1, 7),
  capabilities: fc.constantFrom([], ['uhd'], ['uhd']),
  pinned: fc.constantFrom([], [], [], ['203.0.113.0/25'], ['198.51.8.0/22'], ['2001:db8:1::/49']),
})
const anySaid: fc.Arbitrary<Said> = fc.record({
  ageMs: fc.constantFrom(0, 0, 2900, 3500, 4900, 5100, 60_000),
  state: fc.constantFrom('up', 'up', 'degraded', 'draining'),
  sentBitRate: fc.constantFrom(0, 5e8, 9e8, 2e9, 1e300),
  connections: fc.constantFrom(0, 100, 25_000),
  uptimeMs: fc.constantFrom(0, 5000, 1e9),
})
const anyFleet = fc.record({
  traits: fc.array(anyTraits, { minLength: IDS.length, maxLength: IDS.length }),
  property: fc.record({
    sites: fc.constantFrom([], [], ['a', 'b'], ['c']),
    capabilities: fc.constantFrom([], ['uhd']),
  }),
  addresses: fc.integer({ min: 1, max: 8 }),
})
type Fleet = typeof anyFleet extends fc.Arbitrary<infer Value> ? Value : never
const anyReports = fc.dictionary(fc.constantFrom(...IDS), anySaid)
type Reports = Record<string, Said>

/** All edges are alike and live, and some carry more than their share. */
const unevenFleet: fc.Arbitrary<[Fleet, Reports]> = fc.tuple(
  fc.record({
    traits: fc.constant(IDS.map(() => ({ ipv4: 1, ipv6: 1, weight: 1, capabilities: [], pinned: [] }))),
    property: fc.constant<Fleet['property']>({ sites: [], capabilities: [] }),
    addresses: fc.integer({ min: 1, max: 2 }),
  }),
  fc
    .array(fc.constantFrom(0, 3e8, 6e8, 8.5e8), { minLength: IDS.length, maxLength: IDS.length })
    .map((rates) => Object.fromEntries(IDS.map((id, i) => [id, { sentBitRate: rates[i] ?? 0 }]))),
)

function rigOf(
  { traits, property, addresses }: Fleet,
  { signer = null, deps = {} }: Pick<RigOptions, 'signer' | 'deps'> = {},
): ResponderRig {
  const edges = traits.map(({ ipv4, ipv6, ...more }, i) =>
    edgeEntry(IDS[i] ?? '', IDS[i]?.[0] ?? '', {
      addresses: addressesOf(i, ipv4, ipv6),
      capacity: { bandwidth: '1Gbit' },
      ...more,
    }),
  )
  const shows = { id: 'shows', hosts: ['shows.example.com'], origins: [{ id: 'studio' }], ...property }
  return responderRig({
    dns: { addresses },
    over: { sites: SITES, edges, properties: [shows] },
    signer,
    deps,
  })
}

interface Answered {
  readonly rcode: string
  /** In their order. */
  readonly addresses: readonly string[]
  readonly scope: number
  readonly isSigned: boolean
}

const A = 1
const AAAA = 28

/** By the client's whole address in ECS, from a resolver that is elsewhere. */
function question(type: number, client: IpAddress, isSecure = false): Buffer {
  const records = [optBytes({ flags: isSecure ? 0x8000 : 0, options: [subnetOf(client)] })]
  return queryBytes({ name: 'shows.cdn.example.com', type, records })
}

function subnetOf(client: IpAddress): Buffer {
  const head = client.family === 4 ? '00012000' : '00028000'
  return optionBytes(8, head + Buffer.from(ipBytes(client)).toString('hex'))
}

const RESOLVER = '192.0.2.250'

function ask(rig: ResponderRig, type: number, client: IpAddress): Answered {
  return answered(rig.ask(question(type, client), RESOLVER), client)
}

function answered(reply: Buffer | undefined, client: IpAddress): Answered {
  if (reply === undefined) throw new Error('no reply')
  const { answers = [] } = decode(reply)
  // Of the option its source prefix is the last that is as it was asked.
  const scopeAt = reply.indexOf(subnetOf(client).subarray(0, 7)) + 7
  return {
    rcode: rcodeName((reply[3] ?? 0) & 0x0f),
    addresses: answers.flatMap((record) =>
      record.type === 'A' || record.type === 'AAAA' ? formatIp(ip(record.data)) : [],
    ),
    scope: reply[scopeAt] ?? -1,
    isSigned: answers.some((record) => record.type === 'RRSIG'),
  }
}

const setOf = ({ rcode, addresses }: Answered) => [rcode, ...addresses.toSorted()].join(' ')

/** Which edges may be answered, by other means than steering. */
function ableIn(
  { traits, property }: Fleet,
  reports: Record<string, Said>,
  family: 4 | 6,
  client: IpAddress,
) {
  const fitting = traits.flatMap((has, i) => {
    const id = IDS[i] ?? ''
    const addresses = addressesOf(i, has.ipv4, has.ipv6).filter(
      (text) => text.includes(':') === (family === 6),
    )
    const isOfProperty =
      (property.sites.length === 0 || property.sites.some((one) => one === id[0])) &&
      property.capabilities.every((label: string) => has.capabilities.includes(label))
    return isOfProperty && addresses.length > 0 ? [{ id, addresses, pinned: has.pinned }] : []
  })
  const able = fitting.filter(({ id, pinned }) => {
    const said = reports[id]
    if (said === undefined || (said.ageMs ?? 0) > 5000 || said.state === 'draining') return false
    return pinned.length === 0 || pinned.some((text) => isIn(text, client))
  })
  return { able, hasFitting: fitting.length > 0 }
}

function isIn(text: string, client: IpAddress): boolean {
  const network = parseNetwork(text)
  return network !== undefined && contains(network, client)
}

t.test('edges that may serve and live, as many as allowed, and never none while there is one', async (t) => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(anyFleet, anyReports, (fleet, reports) => {
      const rig = rigOf(fleet)
      rig.hear(reports)
      for (const client of CLIENTS) {
        for (const family of [4, 6] as const) {
          const { able, hasFitting } = ableIn(fleet, reports, family, client)
          const allowed = new Set(
            able.flatMap(({ addresses }) => addresses.map((text) => formatIp(ip(text)))),
          )
          const { rcode, addresses } = ask(rig, family === 4 ? A : AAAA, client)
          const expected = able.length > 0 || !hasFitting ? 'NOERROR' : 'SERVFAIL'
          seen.set(`${rcode} ${addresses.length > 0}`, 1)
          if (rcode !== expected || addresses.length > 0 !== able.length > 0) return false
          if (addresses.length > fleet.addresses || new Set(addresses).size < addresses.length) return false
          if (!addresses.every((text) => allowed.has(text))) return false
        }
      }
      return true
    }),
    { numRuns: 200 },
  )
  t.strictSame([...seen.keys()].toSorted(), ['NOERROR false', 'NOERROR true', 'SERVFAIL false'])
})

/** On each edge since it reported, by its index. */
const anySessions = fc.oneof(
  fc.constant([]),
  fc.array(fc.constantFrom(0, 1, 20, 300), { minLength: IDS.length, maxLength: IDS.length }),
)

function demandOf(sessions: readonly number[]): Demand {
  const sessionsAt: Demand['sessionsAt'] = ({ edges }) =>
    edges.reduce((sum, { index }) => sum + (sessions[index] ?? 0), 0)
  return {
    ...NO_DEMAND,
    sessionsOn: (index) => sessions[index] ?? 0,
    sessionsAt,
    assetRate: unasked,
    assetBitRate: unasked,
  }
}

/** Nobody who asks for an address asks for an asset. */
function unasked(): never {
  throw new Error('asked for the demand of an asset')
}

t.test('what is answered at once is what the long way, which explains it, would answer', async (t) => {
  let found = 0
  let spread = 0
  const anyRun = fc.oneof(fc.tuple(anyFleet, anyReports), unevenFleet)
  fc.assert(
    fc.property(anyRun, anySessions, ([fleet, reports], sessions) => {
      const rig = rigOf(fleet, { deps: { demand: demandOf(sessions) } })
      rig.hear(reports)
      for (const client of CLIENTS) {
        const { answers } = rig.explain({ dns: 'shows.cdn.example.com', client: formatIp(client) })
        for (const { type, rcode, scope, answer, choices } of answers) {
          const told = answer.map(({ data }) => data)
          const chosen = choices.flatMap(({ edges }) => edges.flatMap(({ addresses }) => addresses))
          found += told.length
          if (sessions.length > 0) spread += told.length
          if (told.join() !== chosen.join()) return false
          if (type === 'HTTPS') continue
          // Nothing is made of records where edges are told at once.
          const reply = ask(rig, type === 'A' ? A : AAAA, client)
          if (reply.rcode !== rcode || reply.scope !== Number(scope?.split('/')[1])) return false
          if (!isTurned(reply.addresses, told)) return false
        }
      }
      return true
    }),
    { numRuns: 400 },
  )
  t.ok(found > 1000 && spread > 500, `${found}, ${spread}`)
})

function isTurned(addresses: readonly string[], told: readonly string[]): boolean {
  const from = Math.max(0, told.indexOf(addresses[0] ?? ''))
  return addresses.join() === [...told.slice(from), ...told.slice(0, from)].join()
}

t.test('all clients of the stated scope get the same addresses', async (t) => {
  const scopes = new Set<number>()
  const rest = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n })
  fc.assert(
    fc.property(anyFleet, anyReports, fc.constantFrom(...CLIENTS), rest, (fleet, reports, client, end) => {
      const rig = rigOf(fleet)
      /** Never from what is prepared. */
      const fresh = (who: IpAddress) => {
        rig.clock.pass(1000)
        rig.hear(reports)
        return ask(rig, A, who)
      }
      const own = fresh(client)
      scopes.add(own.scope)
      return addressesSharing(client, own.scope, end).every((other) => setOf(fresh(other)) === setOf(own))
    }),
    { numRuns: 300 },
  )
  t.ok(scopes.size > 4, `scopes ${[...scopes].join()}`)
})

const anyStep = fc.record({
  passMs: fc.constantFrom(0, 0, 100, 300, 499, 500, 700),
  changes: fc.constantFrom(false, false, false, true),
  type: fc.constantFrom(A, A, AAAA),
  client: fc.constantFrom(...CLIENTS),
  near: fc.nat(3),
  isSecure: fc.boolean(),
})

t.test('a prepared answer is for its own question and network, and half a second old at most', async (t) => {
  const signer = await makeSigner(t)
  const anySteps = fc.array(anyStep, { minLength: 10, maxLength: 40 })
  fc.assert(
    fc.property(anyFleet, anyReports, anyReports, anySteps, (fleet, first, second, steps) => {
      const rig = rigOf(fleet, { signer })
      const past: Moment[] = []
      let said = first
      return steps.every(({ passMs, changes, type, client, near, isSecure }) => {
        rig.clock.pass(passMs)
        if (changes) said = said === first ? second : first
        rig.hear(said)
        past.push({ snapshot: rig.snapshot(), nowMs: rig.clock.nowMs })
        const who = { ...client, d: (client.d ^ (near * 64)) >>> 0 }
        const query = question(type, who, isSecure)
        const reply = answered(rig.ask(query, RESOLVER), who)
        // The first time too: a resolver that tries again would not tell.
        if (reply.isSigned !== (isSecure && reply.addresses.length > 0)) return false
        const given = whole(reply)
        return past
          .filter(({ nowMs }) => rig.clock.nowMs - nowMs < 500)
          .some((at) => whole(answered(rig.askAnew(query, RESOLVER, at), who)) === given)
      })
    }),
    { numRuns: 100 },
  )
})

function whole(answer: Answered): string {
  return `${setOf(answer)} /${answer.scope} ${answer.isSigned}`
}

t.test('each address has the first place as often as any other', async () => {
  const anyPause = fc.constantFrom(0, 20_000)
  fc.assert(
    fc.property(anyFleet, fc.constantFrom(...CLIENTS), anyPause, (fleet, client, passMs) => {
      const rig = rigOf(fleet)
      const next = () => {
        rig.clock.pass(passMs)
        rig.hear(Object.fromEntries(IDS.map((id) => [id, { uptimeMs: 1e9 }])))
        return ask(rig, A, client).addresses
      }
      const addresses = next()
      const firsts = Array.from({ length: 3 * addresses.length }, () => next()[0])
      return addresses.every((text) => firsts.filter((first) => first === text).length === 3)
    }),
    { numRuns: 100 },
  )
})
