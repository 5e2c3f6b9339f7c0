// The short ways give the answer of the long one: over random clusters, and whatever is asked of them, the steering
// listener replies alike, counts alike and expects the same load, whether or not a plain request may be answered at once,
// as a transaction or from bytes to bytes.
import fc from 'fast-check'
import t from 'tap'
import { DemandTracker } from '../../scheduler/choose/demand.ts'
import type { DecisionLog } from '../../scheduler/explain/decision-log.ts'
import type { Reach } from '../../scheduler/health/reachability.ts'
import { plainRedirect } from '../../scheduler/plain-redirect.ts'
import { quickRedirects } from '../../scheduler/quick-redirect.ts'
import { MemoryRegistry } from '../../scheduler/registry/memory.ts'
import { SnapshotHolder } from '../../scheduler/snapshot.ts'
import { steeringHandler } from '../../scheduler/steering.ts'
import type { SteeringDeps } from '../../scheduler/steering.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import type { Place } from '../../src/geo/place.ts'
import type { HttpReply, HttpRequest } from '../../src/http/transaction.ts'
import { HeadParser } from '../../src/http1/head-parser.ts'
import { madePlaces } from '../kit/made-places.ts'
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
const places = madePlaces({
  find: ({ d }) => PLACES[(d & 255) % PLACES.length],
  scopeOf: () => 32,
})

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

interface Way {
  readonly decisionLog: DecisionLog | null
  /** Asked first, with the bytes that a client would send. */
  readonly isQuick: boolean
}

const WAYS = {
  short: { decisionLog: null, isQuick: false },
  quick: { decisionLog: null, isQuick: true },
  long: { decisionLog: LONG_WAY, isQuick: false },
} satisfies Record<string, Way>

let quickAnswers = 0

/** One that answers from these snapshots, and knows of its own decisions alone. */
function startListener(snapshots: SnapshotHolder, clock: StillClock, { decisionLog, isQuick }: Way) {
  const { topology } = snapshots.current
  const { edges, sites, allProperties } = topology
  const demand = new DemandTracker({
    edges: edges.length,
    sites: sites.length,
    properties: allProperties.length,
  })
  demand.hear(snapshots.current, clock.monotonic())
  let told: unknown[] = []
  let counted: unknown[] = []
  const metrics: SteeringDeps['metrics'] = {
    answered: (outcome, asked, source) => counted.push(outcome, asked?.id, source),
    denied: (asked, reason) => counted.push(asked?.id, reason),
    reported: () => {},
  }
  const handle = steeringHandler({
    snapshots,
    clock,
    demand,
    decisionLog,
    accessLog: null,
    background: (name) => t.fail(`${name} waits`),
    metrics,
  })
  const quick = quickRedirects({ snapshots, demand, metrics, clock })
  const answersQuickly = (request: HttpRequest): boolean => {
    const head = isQuick ? headOf(request) : undefined
    let reply: Buffer | undefined
    const reserve = (length: number) => (reply = Buffer.alloc(length))
    if (head === undefined || !quick(head, request.remoteAddress, { reserve })) return false
    quickAnswers += 1
    told.push(...partsOf(reply ?? Buffer.alloc(0)))
    return true
  }
  /** All that can be seen of an answer, and of what it leaves behind. */
  const ask = (request: HttpRequest): string => {
    told = []
    counted = []
    if (!answersQuickly(request)) handle({ request, reply: replyTo(told) })
    const nowMs = clock.monotonic()
    const loads = [
      edges.map((one) => demand.sessionsOn(one.index, nowMs)),
      sites.map((one) => demand.sessionsAt(one, nowMs)),
      allProperties.map((one) => demand.propertyBitRate(one, nowMs)),
    ]
    return JSON.stringify({ told, counted, loads })
  }
  return { ask, demand }
}

/** As it comes from a client; undefined for what the server of bodiless requests does not take. */
function headOf(request: HttpRequest): HeadParser | undefined {
  const pairs = request.fields()
  const lines = pairs.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${pairs[i + 1]}`] : []))
  const text = `${request.method} ${request.target} HTTP/1.1\r\n${[`Host: ${request.host}`, ...lines].join('\r\n')}\r\n\r\n`
  const parser = new HeadParser()
  return parser.parse(Buffer.from(text, 'latin1'), 0, 0) === 'complete' ? parser : undefined
}

/** Of a reply's bytes, what `replyTo` tells of one. */
function partsOf(reply: Buffer): unknown[] {
  const [status = '', ...lines] = reply.toString('latin1').split('\r\n')
  const taken = (name: string) => {
    const at = lines.findIndex((line) => line.startsWith(`${name}: `))
    return at < 0 ? '' : (lines.splice(at, 1)[0] ?? '').slice(name.length + 2)
  }
  const isDated = !Number.isNaN(Date.parse(taken('Date')))
  const bodyBytes = Number(taken('Content-Length'))
  const [end, behind] = lines.splice(-2)
  if (!isDated || end !== '' || behind !== '')
    throw new Error(`not a whole reply: ${reply.toString('latin1')}`)
  return [Number(status.split(' ')[1]), lines.toSorted(), bodyBytes, '']
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
      const short = startListener(snapshots, clock, WAYS.short)
      const quick = startListener(snapshots, clock, WAYS.quick)
      const long = startListener(snapshots, clock, WAYS.long)
      for (const one of askings) {
        clock.pass(one.passMs)
        const request = requestOf(one)
        const atOnce = plainRedirect(request, snapshots.current, short.demand, clock.monotonic())
        plain += atOnce === undefined ? 0 : 1
        all += 1
        for (let i = 0; i < one.times; i++) {
          const expected = long.ask(request)
          for (const answer of [short.ask(request), quick.ask(request)]) {
            if (answer === expected) continue
            throw new Error(`${answer}\nby the short way, by the long one\n${expected}`)
          }
        }
      }
      snapshots.close()
    }),
    { numRuns: 160 },
  )
  t.ok(plain > all / 25, `${plain} of ${all} went the short way`)
  t.ok(plain < all, 'and others did not')
  t.ok(quickAnswers > all / 25, `${quickAnswers} from bytes to bytes`)
})
