// Choices that depend on what was decided before: expected load, hot assets, and edges that are new or come back.
import t from 'tap'
import { AssetRates } from '../../scheduler/choose/asset-rates.ts'
import { DemandTracker, NO_DEMAND } from '../../scheduler/choose/demand.ts'
import { copiesFor } from '../../scheduler/choose/edges.ts'
import { ExpectedLoad } from '../../scheduler/choose/expected-load.ts'
import { HOT_ASSET_RATE } from '../../scheduler/limits.ts'
import { nextHealth } from '../../scheduler/health/edge-health.ts'
import { rampUpOf } from '../../scheduler/health/ramp-up.ts'
import { hash64 } from '../../src/rendezvous.ts'
import { edgeEntry, reportOf } from '../kit/scheduler.ts'
import { NOW_MS, assetPath, choosing, site } from '../kit/choosing.ts'
import type { ChoosingState } from '../kit/choosing.ts'

const EDGES = ['a', 'b', 'c', 'd']
const CLUSTER = { sites: [site('paris', 48.9, 2.4)], edges: EDGES.map((id) => edgeEntry(id, 'paris')) }

/** How many of the clients each edge gets. */
function crowd(state: ChoosingState, count: number, everyMs: number, path = assetPath('premiere')) {
  const demand = state.demand ?? new DemandTracker({ edges: EDGES.length })
  const { decide } = choosing(CLUSTER, { ...state, demand })
  const taken: Record<string, number> = {}
  const reasons = new Set<string>()
  for (let i = 0; i < count; i++) {
    const [chosen] = decide({ path, peer: `198.51.${i >> 8}.${i & 255}` }, NOW_MS + i * everyMs).ranked
    if (chosen === undefined) continue
    taken[chosen.id] = (taken[chosen.id] ?? 0) + 1
    reasons.add(chosen.reason)
  }
  return { taken, reasons: [...reasons], demand }
}

/** Of a hundred clients, those that an edge of this uptime gets beside three busy ones. */
function firstOfFour(uptimeMs: number): number {
  const busy = { sentBitRate: 6e8, uptimeMs: 1e9 }
  const reports = { a: { sentBitRate: 0, uptimeMs }, b: busy, c: busy, d: busy }
  const demand = new DemandTracker({ edges: EDGES.length })
  const { ask } = choosing(CLUSTER, { reports, demand })
  const chosen = Array.from({ length: 100 }, (_, i) => ask({ path: assetPath(String(i)) })?.id)
  return chosen.filter((id) => id === 'a').length
}

const seenAt = (receivedAtMs: number, heldAtMs: number | null = null) => ({
  report: reportOf('a', { uptimeMs: 1e9 }),
  receivedAtMs,
  heldAtMs,
})

t.test('an assignment adds a session that fades', async (t) => {
  const expected = new ExpectedLoad(2)
  for (let i = 0; i < 100; i++) expected.note(1, 1000)
  t.equal(Math.round(expected.sessionsOn(1, 1000) * 1000), 100_000)
  t.equal(expected.sessionsOn(0, 1000), 0)
  t.ok(Math.abs(expected.sessionsOn(1, 2500) - 100 / Math.E) < 0.01)
  t.ok(expected.sessionsOn(1, 20_000) < 0.001)
  t.ok(expected.sessionsOn(1, 0) < 0.001, 'a clock that goes back brings nothing back')
  expected.note(7, 30_000)
  t.equal(expected.sessionsOn(7, 30_000), 0, 'an edge that is not there has none')
  // Far past the moment at which its numbers are written anew.
  let nowMs = 30_000
  for (let i = 0; i < 100_000; i++) expected.note(0, (nowMs += 10))
  t.ok(
    Math.abs(expected.sessionsOn(0, nowMs) - 150.5) < 0.1,
    `100 a second for 1.5 s: ${expected.sessionsOn(0, nowMs)}`,
  )
  t.not(expected.sessionsOn(0, nowMs + 20_000), 0)
  t.equal(expected.sessionsOn(0, nowMs + 60_000), 0, 'what is left of it is none at last')
})

t.test('between two reports a crowd is not sent to one edge', async (t) => {
  const { taken, reasons } = crowd({}, 100, 0)
  t.ok(Object.keys(taken).length > 1, JSON.stringify(taken))
  t.ok(Math.max(...Object.values(taken)) < 100 * 0.4)
  t.ok(reasons.includes('hash'))
  const slow = crowd({}, 60, 1000)
  t.same(Object.keys(slow.taken).length, 1, 'few clients of an asset stay on its edge')
})

t.test('between two reports a crowd spills to the neighbour', async (t) => {
  const cluster = {
    sites: [site('paris', 48.9, 2.4), site('frankfurt', 50.1, 8.7)],
    edges: [edgeEntry('par', 'paris'), edgeEntry('fra', 'frankfurt', { capacity: { bandwidth: '10Gbit' } })],
  }
  const { ask } = choosing(cluster, { demand: new DemandTracker({ edges: 2 }) })
  const edges = Array.from({ length: 400 }, () => ask()?.id)
  t.ok(
    edges.slice(0, 140).every((id) => id === 'par'),
    'up to 0.7 of 200 sessions',
  )
  t.ok(
    edges.slice(200).every((id) => id === 'fra'),
    'none past full',
  )
})

t.test('at a large site a hot asset has as many edges, however they are found', async (t) => {
  const ids = Array.from({ length: 60 }, (_, i) => `e-${i}`)
  const cluster = { sites: [site('here')], edges: ids.map((id) => edgeEntry(id, 'here')) }
  // On so many edges that they are searched for one by one, ranked, and all.
  for (const copies of [3, 17, 18, 59, 60]) {
    const demand = { ...NO_DEMAND, assetRate: () => copies * HOT_ASSET_RATE }
    const { decide } = choosing(cluster, { demand })
    const clients = Array.from({ length: 1500 }, (_, i) => `198.51.${i >> 8}.${i & 255}`)
    const found = new Set(clients.map((peer) => decide({ peer }).chosen?.id))
    t.equal(found.size, copies)
  }
})

t.test('a hot asset gets more edges as its rate grows, and loses them again', async (t) => {
  t.same(
    [0, 1, 20, 21, 40, 61, 1e9].map((rate) => copiesFor(rate, 4)),
    [1, 1, 1, 2, 2, 4, 4],
  )
  const path = assetPath('premiere')
  /** No expected load: the rate alone. */
  const at = (rate: number, id = '') => {
    const demand = { ...NO_DEMAND, assetRate: () => rate }
    const { taken, reasons } = crowd({ demand }, 300, 0, id === '' ? path : assetPath(id))
    return { edges: Object.keys(taken).toSorted(), taken, reasons }
  }
  const [one, two, three, all] = [at(10), at(30), at(50), at(1000)]
  t.same(
    [one, two, three, all].map(({ edges }) => edges.length),
    [1, 2, 3, 4],
  )
  t.ok(one.edges.every((id) => two.edges.includes(id)) && two.edges.every((id) => three.edges.includes(id)))
  t.same([one.reasons, two.reasons], [['hash'], ['hot-asset']])
  for (const count of Object.values(all.taken)) t.ok(count > 45 && count < 110, `even: ${count}`)
  const { decide } = choosing(CLUSTER, { demand: { ...NO_DEMAND, assetRate: () => 1000 } })
  t.equal(decide({ path, peer: '8.8.4.4' }).chosen?.id, decide({ path, peer: '8.8.4.4' }).chosen?.id)
})

t.test('rates are told from decisions, for each asset, and fade', async (t) => {
  const rates = new AssetRates()
  const [hot, cold] = [hash64('shows/hot/'), hash64('shows/cold/')]
  for (let i = 0; i < 6000; i++) rates.note(hot.hi, hot.lo, i * 10)
  rates.note(cold.hi, cold.lo, 59_990)
  t.ok(Math.abs(rates.rateOf(cold.hi, cold.lo, 59_990) - 0.1) < 1e-9)
  t.ok(Math.abs(rates.rateOf(hot.hi, hot.lo, 60_000) - 100) < 2, `${rates.rateOf(hot.hi, hot.lo, 60_000)}`)
  t.ok(rates.rateOf(hot.hi, hot.lo, 90_000) < 6)
  const other = hash64('shows/other/')
  t.equal(rates.rateOf(other.hi, other.lo, 60_000), 0)
})

t.test('a flood of assets does not push a hot one out of the table', async (t) => {
  const rates = new AssetRates()
  const hot = hash64('shows/hot/')
  for (let i = 0; i < 1000; i++) rates.note(hot.hi, hot.lo, i)
  for (let i = 0; i < 300_000; i++) {
    const { hi, lo } = hash64(`shows/${i}/`)
    rates.note(hi, lo, 1000)
  }
  t.ok(rates.rateOf(hot.hi, hot.lo, 1000) > 90)
})

t.test(
  'an edge that has just started takes a part of its share of a loaded site, more each second',
  async (t) => {
    const [cold, warmer, warm] = [firstOfFour(0), firstOfFour(10_000), firstOfFour(60_000)]
    // 1.8 Gbit/s and 100 sessions are 460 sessions; a tenth of an edge beside three whole ones.
    const fair = (460 * 0.1) / 3.1
    t.ok(cold > 0 && cold <= 1.25 * fair + 1, `${cold} at first`)
    t.ok(cold < warmer && warmer <= warm, `${cold}, ${warmer}, ${warm}`)
  },
)

t.test(
  'an edge ramps up after it was silent for long enough to be down, not after a held view',
  async (t) => {
    const capacity = { bandwidth: 1e9, connectionsMax: 1000 }
    const first = nextHealth(undefined, seenAt(10_000), capacity)
    t.equal(rampUpOf(seenAt(10_000), first, 10_000), 1, 'new to this scheduler, not new')
    const late = nextHealth(first, seenAt(14_000), capacity)
    t.equal(rampUpOf(seenAt(14_000), late, 14_000), 1, 'suspect, never down')
    const gone = nextHealth(late, undefined, capacity)
    const back = nextHealth(gone, seenAt(30_000), capacity)
    t.equal(rampUpOf(seenAt(30_000), back, 30_000), 0.1)
    const later = nextHealth(back, seenAt(31_000), capacity)
    t.ok(rampUpOf(seenAt(31_000), later, 45_000) > 0.5)
    t.equal(rampUpOf(seenAt(60_000), later, 60_000), 1)
    const held = nextHealth(first, seenAt(10_000, 12_000), capacity)
    t.equal(rampUpOf(seenAt(90_000), nextHealth(held, seenAt(90_000), capacity), 90_000), 1)
    t.equal(rampUpOf({ ...seenAt(0), report: reportOf('a', { uptimeMs: 0 }) }, first, 0), 0.1)
  },
)

t.test('impossible loads are bounded and decide nothing but order', async (t) => {
  const reports = {
    a: { sentBitRate: Number.MAX_VALUE, connections: Number.MAX_SAFE_INTEGER },
    b: { sentBitRate: 1e300 },
    c: { sentBitRate: 5e8 },
    d: { ageMs: 9000 },
  }
  const { ask } = choosing(CLUSTER, { reports })
  const chosen = new Set(Array.from({ length: 200 }, (_, i) => ask({ path: assetPath(String(i)) })?.id))
  t.same([...chosen], ['c'])
})
