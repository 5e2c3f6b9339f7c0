// The short way gives the answer of the long one: over random clusters, and whatever is asked of them, the steering
// listener replies alike, counts alike and expects the same load, whether or not a plain request may be answered at once.
import fc from 'fast-check'
import t from 'tap'
import { DemandTracker } from '../../scheduler/choose/demand.ts'
import type { DecisionLog } from '../../scheduler/explain/decision-log.ts'
import type { Reach } from '../../scheduler/health/reachability.ts'
import { plainRedirect } from '../../scheduler/plain-redirect.ts'
import { MemoryRegistry } from '../../scheduler/registry/memory.ts'
import { SnapshotHolder } from '../../scheduler/snapshot.ts'
import { steeringHandler } from '../../scheduler/steering.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import type { Place } from '../../src/geo/place.ts'
import type { Places } from '../../src/geo/places.ts'
import type { HttpReply, HttpRequest } from '../../src/http/transaction.ts'
import { plainRequest } from '../kit/plain-request.ts'
import { recordingLog } from '../kit/recording-log.ts'
import { StillClock, edgeEntry, reportOf, schedulerSettings } from '../kit/scheduler.ts'

/** Two at one place, and one nowhere: distances that are equal, and that are not known. */
const SITES = [
  { id: 'a', location: { lat: 50.1, lon: 8.7 }, coverage: { networks: ['203.0.113.0/24'] } },
  {
    id: 'b',
    location: { lat: 48.8, lon: 2.3 },
    coverage: { networks: ['203.0.113.0/24'], countries: ['FR'] },
  },
  { id: 'c', location: { lat: 48.8, lon: 2.3 }, coverage: { countries: ['FR', 'GB'] } },
  { id: 'd', location: { lat: 35.7, lon: 139.7 } },
  { id: 'e', location: { lat: 51.5, lon: -0.1 } },
  { id: 'f' },
]
const PLACES: readonly (Place | undefined)[] = [
  undefined,
  { country: 'FR', position: undefined },
  { country: 'GB', position: { lat: 55.9, lon: -3.2 } },
  { country: 'FR', position: { lat: 43.3, lon: 5.4 } },
  { country: 'US', position: { lat: 40.7, lon: -74 } },
  { country: 'US', position: { lat: 37.8, lon: -122.4 } },
]
/** By the last octet: clients of each in any network. */
const places: Places = {
  find: ({ d }) => PLACES[(d & 255) % PLACES.length],
  findAsn: () => undefined,
  scopeOf: () => 32,
  scopeOfAsn: () => 0,
}

/** Clusters of which nothing is plain would try nothing. */
function mostly<T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 10, arbitrary: fc.constant(usual) },
    { weight: 2, arbitrary: fc.constantFrom(...others) },
  )
}

const edge = fc.record({
  site: fc.constantFrom(...SITES.map(({ id }) => id)),
  capacity: mostly({ bandwidth: '1Gbit', connections: 10_000 }, { bandwidth: '50Mbit', connections: 20 }),
  weight: mostly(1, 0.5, 0),
  capabilities: mostly(['uhd'], []),
  addresses: mostly<string[]>([], ['192.0.2.1'], ['192.0.2.1', '2001:db8::1'], ['2001:db8::1']),
  pinned: mostly<string[]>([], ['198.51.100.0/25']),
})
const said = fc.record({
  ageMs: mostly(0, 3500, 60_000),
  state: mostly<'up' | 'degraded' | 'draining'>('up', 'degraded', 'draining'),
  load: mostly(0.3, 0, 0.6, 0.72, 0.95),
  uptimeMs: mostly(1e9, 4000),
  hotBitRate: mostly(0, 4e8),
})
const reach = mostly<Reach>('reachable', 'unknown', 'unreachable')
const member = fc.record({ edge, said, reach: fc.record({ 4: reach, 6: reach }) })

const PAGE = 'https://player.example.com'
const TOKENS = { scheme: 'type-a', keys: ['0123456789abcdef'] }
const property = fc.record({
  sites: fc.oneof(fc.constant([]), fc.subarray(SITES.map(({ id }) => id))),
  capabilities: mostly<string[]>([], ['uhd']),
  cors: mostly<object>({}, { origins: ['*'] }, { origins: [PAGE] }),
  access: mostly<object>({}, { addresses: { deny: ['203.0.113.9'] } }, { tokens: TOKENS }),
  overflow: mostly(undefined, { above: '20Mbit', to: 'https://other.example.com/cdn' }),
})

const cluster = fc.record({
  members: fc.array(member, { minLength: 12, maxLength: 24 }),
  properties: fc.array(property, { minLength: 3, maxLength: 3 }),
  isProbed: mostly(false, true),
  redirect: fc.constantFrom('path', 'host'),
  trustedProxies: mostly<string[]>(['127.0.0.0/8', '::1/128'], []),
})

const PLAIN = [
  '/x/m.m3u8',
  '/y/m.m3u8',
  '/z/1/m.m3u8',
  '/',
  '/hot/m.m3u8',
  '/hot/1.ts?a=1',
  '/x?/y/z',
  '/a//b?c',
]
const OWN = ['/.edgeward/health', '/.edgeward/route?path=/x/m.m3u8', '/~p0/x/m.m3u8', '/~p9/x', '/~~x/y', '*']
const ODD = ['/x/m.m3u8?~not=e0', '/x/~m', '/%7e/%ff', '/\xe9/\xff.ts', '/a\x7f', '/a b', '//x', '']
const target = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...PLAIN) },
  { weight: 1, arbitrary: fc.constantFrom(...OWN, ...ODD) },
  { weight: 1, arbitrary: fc.stringMatching(/^\/[!-~\x80-\xff]{0,12}$/) },
)
const client = fc.oneof(
  fc.constantFrom('203.0.113.9', '198.51.100.7', '198.51.100.200', '10.0.0.1', '2001:db8::7'),
  fc.nat(255).map((last) => `8.8.8.${last}`),
  fc.nat(255).map((last) => `2a00:1450::${last.toString(16)}`),
)
const hops = fc.tuple(client, client).map((both) => both.join(', '))
const fields = fc.record(
  {
    origin: fc.constantFrom(PAGE, 'https://elsewhere.example.com', 'null'),
    'x-forwarded-for': fc.oneof(client, hops, fc.constant('?')),
    forwarded: client.map((address) => `for="[${address}]:80", for=${address}`),
    'access-control-request-headers': fc.constant('Range'),
  },
  { requiredKeys: [] },
)
const asking = fc.record({
  method: mostly('GET', 'HEAD', 'OPTIONS', 'POST'),
  host: fc.oneof(
    fc.nat(2).map((i) => `p${i}.example.com`),
    fc.constantFrom('P0.Example.com.:80', 'none.example'),
  ),
  target,
  peer: fc.oneof(client, fc.constantFrom('127.0.0.1', '::1', '')),
  fields: fc.oneof(fc.constant({}), fields),
  /** So often in a row: an asset gets hot, and edges take load. */
  times: mostly(1, 8, 300),
  /** Before it. */
  passMs: mostly(0, 15, 1500),
})

type Cluster = ValueOf<typeof cluster>
type Asking = ValueOf<typeof asking>
type ValueOf<A> = A extends fc.Arbitrary<infer T> ? T : never

/** A decision that is logged is made the long way. */
const LONG_WAY: DecisionLog = { isWanted: () => true, write: () => {} }

function startCluster(
  { members, properties, isProbed, redirect, trustedProxies }: Cluster,
  clock: StillClock,
) {
  const edges = members.map(({ edge: { site, ...more } }, i) => edgeEntry(`e${i}`, site, more))
  const settings = schedulerSettings({
    scheduler: { steering: { redirect }, trustedProxies },
    sites: SITES,
    edges,
    properties: properties.map((asked, i) => ({
      id: `p${i}`,
      hosts: [`p${i}.example.com`],
      origins: [{ id: 'studio' }],
      ...asked,
    })),
  })
  const topology = buildTopology(settings)
  const registry = new MemoryRegistry(clock)
  members.forEach(({ said: { ageMs, state, load, uptimeMs, hotBitRate } }, i) => {
    const { id, bandwidth, connectionsMax } = topology.edges[i] ?? { id: '', bandwidth: 0, connectionsMax: 0 }
    clock.pass(-ageMs)
    registry.record(
      reportOf(id, {
        state,
        uptimeMs,
        sentBitRate: load * bandwidth,
        connections: Math.round(load * connectionsMax),
        directories: [{ property: 'p0', path: '/hot/', bitRate: hotBitRate }],
      }),
    )
    clock.pass(ageMs)
  })
  const probes = isProbed ? { reach: members.map((one) => one.reach), onChange: null } : null
  return new SnapshotHolder(topology, places, registry, { clock, log: recordingLog().log, probes })
}

/** One that answers from these snapshots, and knows of its own decisions alone. */
function startListener(snapshots: SnapshotHolder, clock: StillClock, decisionLog: DecisionLog | null) {
  const { topology } = snapshots.current
  const { edges, sites, allProperties } = topology
  const demand = new DemandTracker({
    edges: edges.length,
    sites: sites.length,
    properties: allProperties.length,
  })
  demand.hear(snapshots.current, clock.monotonic())
  let told: unknown[] = []
  const handle = steeringHandler({
    snapshots,
    clock,
    demand,
    decisionLog,
    accessLog: null,
    background: (name) => t.fail(`${name} waits`),
    metrics: {
      answered: (outcome, asked, source) => told.push(outcome, asked?.id, source),
      denied: (asked, reason) => told.push(asked?.id, reason),
      reported: () => {},
    },
  })
  /** All that can be seen of an answer, and of what it leaves behind. */
  const ask = (request: HttpRequest): string => {
    told = []
    handle({ request, reply: replyTo(told) })
    const nowMs = clock.monotonic()
    const loads = [
      edges.map((one) => demand.sessionsOn(one, nowMs)),
      sites.map((one) => demand.sessionsAt(one, nowMs)),
      allProperties.map((one) => demand.propertyBitRate(one, nowMs)),
    ]
    return JSON.stringify({ told, loads })
  }
  return { ask, demand }
}

/** Fields in whatever order. */
function replyTo(told: unknown[]): HttpReply {
  const reply = {
    closed: false,
    bodyBytes: 0,
    status: 0,
    onFinish: null,
    interim: () => t.fail('an interim answer'),
    send({ status, fields: shared, added, extra, length }, body) {
      const pairs = [...shared.pairs, ...(added?.pairs ?? []), ...extra]
      const lines = pairs.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${pairs[i + 1]}`] : []))
      told.push(status, lines.toSorted(), length, body === null ? '' : Buffer.from(body).toString())
    },
    start: () => t.fail('a streamed answer'),
    write: async () => false,
    end: () => {},
    abort: () => {},
  } satisfies HttpReply
  return reply
}

function requestOf({ method, host, target: asked, peer, fields: sent }: Asking): HttpRequest {
  return { ...plainRequest({ method, target: asked, fields: sent }), host, remoteAddress: peer }
}

t.test('the short way answers as the long one does', async (t) => {
  let plain = 0
  let all = 0
  fc.assert(
    fc.property(cluster, fc.array(asking, { minLength: 8, maxLength: 30 }), (made, askings) => {
      const clock = new StillClock()
      const snapshots = startCluster(made, clock)
      const short = startListener(snapshots, clock, null)
      const long = startListener(snapshots, clock, LONG_WAY)
      for (const one of askings) {
        clock.pass(one.passMs)
        const request = requestOf(one)
        const atOnce = plainRedirect(request, snapshots.current, short.demand, clock.monotonic())
        plain += atOnce === undefined ? 0 : 1
        all += 1
        for (let i = 0; i < one.times; i++) {
          const [answer, expected] = [short.ask(request), long.ask(request)]
          if (answer !== expected)
            throw new Error(`${answer}\nby the short way, by the long one\n${expected}`)
        }
      }
      snapshots.close()
    }),
    { numRuns: 250 },
  )
  t.ok(plain > all / 25, `${plain} of ${all} went the short way`)
  t.ok(plain < all, 'and others did not')
})
