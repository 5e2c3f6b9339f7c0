// The choice of site and edge: cost and congestion, what an edge must have, and the reasons that are kept.
import t from 'tap'
import { fitEdgesOf } from '../../scheduler/choose/candidates.ts'
import { congestionMs, roundTripMs } from '../../scheduler/choose/cost.ts'
import { edgesAt } from '../../scheduler/choose/sites.ts'
import { edgeEntry } from '../kit/scheduler.ts'
import { assetPath, choosing, site } from '../kit/choosing.ts'
import type { ChoosingCluster, ChoosingState } from '../kit/choosing.ts'

const PARIS = site('paris', 48.9, 2.4)
const FRANKFURT = site('frankfurt', 50.1, 8.7)
const TOKYO = site('tokyo', 35.7, 139.7)
const IN_PARIS = { country: undefined, position: { lat: 48.9, lon: 2.4 } }
/** Of an edge with a gigabit. */
const load = (share: number) => ({ sentBitRate: share * 1e9 })

function sharesOf(cluster: ChoosingCluster, state: ChoosingState, peer = '8.8.8.8'): Record<string, number> {
  const { ask } = choosing(cluster, state)
  const shares: Record<string, number> = {}
  for (let i = 0; i < 1000; i++) {
    const id = ask({ peer, path: assetPath(String(i)) })?.id ?? 'none'
    shares[id] = Math.round((shares[id] ?? 0) * 1000 + 1) / 1000
  }
  return shares
}

t.test('congestion costs nothing below 0.7 and ever more above', async (t) => {
  for (const utilisation of [0, 0.3, 0.7]) t.equal(congestionMs(utilisation), 0)
  const costs = [0.71, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 0.997, 1, 1.2, 4].map(congestionMs)
  costs.reduce((before, cost) => {
    t.ok(cost > before, `${cost} after ${before}`)
    return cost
  })
  t.ok(Math.abs(congestionMs(0.85) - 20) < 0.001)
  t.ok(congestionMs(0.99) > 400, 'more than the longest round trip')
})

t.test('a distance is a round trip', async (t) => {
  t.ok(Math.abs(roundTripMs(Math.cos(479 / 6371)) - 7.7) < 0.1, 'Paris to Frankfurt')
  t.equal(roundTripMs(1.0000001), 0)
  t.ok(roundTripMs(-1) < roundTripMs(-2), 'a place that is not known is the farthest')
})

const NEIGHBOURS = {
  sites: [PARIS, FRANKFURT, TOKYO],
  edges: [edgeEntry('par-1', 'paris'), edgeEntry('fra-1', 'frankfurt'), edgeEntry('tyo-1', 'tokyo')],
}

const whenParisHas = (share: number) =>
  sharesOf(NEIGHBOURS, { place: IN_PARIS, reports: { 'par-1': load(share), 'fra-1': {}, 'tyo-1': {} } })

t.test('a site that fills up spills to its neighbour, asset by asset, and never beyond need', async (t) => {
  t.match(whenParisHas(0), { 'par-1': 1 })
  t.match(whenParisHas(0.7), { 'par-1': 1 })
  const some = whenParisHas(0.78)
  t.ok((some['fra-1'] ?? 0) > 0.2 && (some['fra-1'] ?? 0) < 0.8, `a part at 0.78: ${some['fra-1']}`)
  t.match(whenParisHas(0.95), { 'fra-1': 1 })
  t.equal(whenParisHas(3)['tyo-1'], undefined)
})

t.test(
  'a client between two sites spills to the one near to it, not to the one near to its site',
  async (t) => {
    // The client is 2 degrees east of Paris and 3 west of the next; a third is 4 degrees west of Paris.
    const sites = [site('paris', 48.9, 2.4), site('east', 48.9, 7.4), site('west', 48.9, -1.6)]
    const edges = ['paris', 'east', 'west'].map((id) => edgeEntry(`${id}-1`, id))
    const reports = { 'paris-1': load(0.95), 'east-1': {}, 'west-1': {} }
    const place = { country: undefined, position: { lat: 48.9, lon: 4.4 } }
    t.match(sharesOf({ sites, edges }, { place, reports }), { 'east-1': 1 })
    const { decide } = choosing({ sites, edges }, { place, reports })
    const east = decide({ peer: '8.8.8.8' }).weighing?.chosen
    // How much farther than Paris, which is 146 km away.
    t.ok(Math.abs((east?.distanceMs ?? 0) - (219 - 146) * 0.016) < 0.05, `${east?.distanceMs}`)
  },
)

t.test('overload everywhere never empties the answer', async (t) => {
  const reports = { 'par-1': load(2), 'fra-1': load(2), 'tyo-1': load(2) }
  const shares = sharesOf(NEIGHBOURS, { place: IN_PARIS, reports })
  t.equal(shares['none'], undefined)
  const worse = { 'par-1': load(1.4), 'fra-1': load(1.2), 'tyo-1': load(1.6) }
  const least = sharesOf(NEIGHBOURS, { place: IN_PARIS, reports: worse })
  t.ok((least['fra-1'] ?? 0) > 0.85, 'the least full takes nearly all')
})

t.test('connections count as load like bits', async (t) => {
  const reports = { 'par-1': { connections: 19_900 }, 'fra-1': {}, 'tyo-1': {} }
  t.match(sharesOf(NEIGHBOURS, { place: IN_PARIS, reports }), { 'fra-1': 1 })
})

t.test(
  'a site that covers the client goes before a nearer one, and spills only when it is nearly full',
  async (t) => {
    const covered = site('tokyo', 35.7, 139.7, { networks: ['203.0.113.0/24'] })
    const cluster = { ...NEIGHBOURS, sites: [PARIS, FRANKFURT, covered] }
    const at = (share: number) =>
      sharesOf(cluster, { reports: { 'tyo-1': load(share), 'par-1': {}, 'fra-1': {} } }, '203.0.113.9')
    t.match(at(0.85), { 'tyo-1': 1 })
    t.equal(at(0.999)['tyo-1'], undefined)
  },
)

t.test('a property is served by its sites alone', async (t) => {
  const property = { sites: ['tokyo', 'frankfurt'] }
  t.match(sharesOf({ ...NEIGHBOURS, property }, { place: IN_PARIS }), { 'fra-1': 1 })
  const { decide } = choosing({ ...NEIGHBOURS, property }, { place: IN_PARIS, reports: { 'par-1': {} } })
  t.equal(decide().answer.outcome, 'no-edge', 'not even where no other can')
})

t.test('a property is served by edges that have what it asks for', async (t) => {
  const cluster = {
    ...NEIGHBOURS,
    edges: [
      edgeEntry('par-1', 'paris', { capabilities: ['hd'] }),
      edgeEntry('par-2', 'paris', { capabilities: ['hd', 'uhd'] }),
      edgeEntry('fra-1', 'frankfurt'),
    ],
    property: { capabilities: ['uhd', 'hd'] },
  }
  t.match(sharesOf(cluster, { place: IN_PARIS }), { 'par-2': 1 })
  const { decide } = choosing(cluster, { place: IN_PARIS })
  t.match(decide({ peer: '8.8.8.8' }).weighing, {
    chosen: { site: { id: 'paris' }, verdict: 'chosen' },
    fit: { candidates: [{ id: 'par-2' }], dropped: [{ edge: { id: 'par-1' }, reason: 'capability' }] },
  })
})

const DEEP = {
  sites: [PARIS, FRANKFURT],
  edges: [
    edgeEntry('par-1', 'paris'),
    edgeEntry('deep-1', 'frankfurt', { pinned: ['203.0.113.0/24', '2001:db8:7::/48'] }),
    edgeEntry('fra-1', 'frankfurt'),
  ],
}

t.test('a deep edge serves the networks it is pinned to, and nobody else', async (t) => {
  t.match(sharesOf(DEEP, { place: IN_PARIS }, '203.0.113.9'), { 'deep-1': 1 })
  t.match(sharesOf(DEEP, { place: IN_PARIS }, '2001:db8:7::1'), { 'deep-1': 1 })
  t.match(sharesOf(DEEP, { place: IN_PARIS }, '203.0.112.9'), { 'par-1': 1 })
  const alone = choosing(DEEP, { place: IN_PARIS, reports: { 'deep-1': {} } })
  t.equal(alone.decide({ peer: '203.0.112.9' }).answer.outcome, 'no-edge')
  const full = { 'deep-1': load(0.97), 'par-1': {}, 'fra-1': {} }
  t.match(sharesOf(DEEP, { place: IN_PARIS, reports: full }, '203.0.113.9'), { 'par-1': 1 }, 'spills')
  const dead = { 'par-1': {}, 'fra-1': {} }
  t.match(sharesOf(DEEP, { place: IN_PARIS, reports: dead }, '203.0.113.9'), { 'par-1': 1 })
})

const ofWeight = (weight: number) => ({
  sites: [PARIS],
  edges: [edgeEntry('a', 'paris', { weight }), edgeEntry('b', 'paris')],
})

t.test('a weight multiplies the share of an edge; at 0 it is a last resort', async (t) => {
  const shares = sharesOf(ofWeight(3), {})
  t.ok(Math.abs((shares['a'] ?? 0) - 0.75) < 0.06, `${shares['a']}`)
  t.same(Object.keys(sharesOf(ofWeight(0), {})), ['b'])
  t.same(
    Object.keys(sharesOf(ofWeight(0), { reports: { a: {}, b: load(3) } })),
    ['b'],
    'overload is no reason',
  )
  t.same(Object.keys(sharesOf(ofWeight(0), { reports: { a: {} } })), ['a'])
})

t.test('clients are sent where their addresses fit', async (t) => {
  const cluster = {
    sites: [PARIS, FRANKFURT],
    edges: [
      edgeEntry('v4', 'paris', { addresses: ['192.0.2.4'] }),
      edgeEntry('v6', 'frankfurt', { addresses: ['2001:db8::6'] }),
      edgeEntry('both', 'frankfurt', { addresses: ['192.0.2.5', '2001:db8::5'] }),
    ],
  }
  const at = (peer: string, reports?: ChoosingState['reports']) =>
    Object.keys(sharesOf(cluster, { place: IN_PARIS, ...(reports && { reports }) }, peer)).toSorted()
  t.same(at('8.8.8.8'), ['v4'])
  t.same(at('2a00::1'), ['both', 'v6'])
  t.same(at('::ffff:8.8.8.8'), ['v4'], 'a mapped address is IPv4')
  t.same(at('8.8.8.8', { v6: {}, both: {} }), ['both'])
  t.same(at('2a00::1', { v4: {} }), ['v4'], 'better than nothing: the client may have both')
  t.same(at('2a00::1', { v4: {}, v6: { ageMs: 4000 } }), ['v6'], 'an edge in doubt before one out of reach')
})

t.test('the answer keeps its reasons', async (t) => {
  const cluster = {
    sites: [PARIS, FRANKFURT, TOKYO],
    edges: [
      edgeEntry('par-1', 'paris'),
      edgeEntry('par-2', 'paris'),
      edgeEntry('fra-1', 'frankfurt'),
      edgeEntry('fra-2', 'frankfurt'),
      edgeEntry('tyo-1', 'tokyo'),
    ],
  }
  const reports = {
    'par-1': load(0.99),
    'par-2': { state: 'draining' },
    'fra-1': load(0.4),
    'fra-2': { ageMs: 4000 },
    'tyo-1': {},
  } as const
  const { decide } = choosing(cluster, { place: IN_PARIS, reports })
  const { weighing, choice, ranked, chosen } = decide({ peer: '8.8.8.8' })
  t.match(weighing?.sites, [
    { site: { id: 'paris' }, role: 'located', distanceMs: 0, verdict: 'costlier' },
    { site: { id: 'frankfurt' }, role: 'other', congestionMs: 0, verdict: 'chosen' },
  ])
  t.equal(weighing?.sites.length, 2, 'Tokyo cannot be cheaper and is not looked at')
  t.match(weighing?.fit.dropped, [{ edge: { id: 'fra-2' }, reason: 'silent' }])
  t.match(ranked, [{ id: 'fra-1', reason: 'hash', doubt: 'none' }])
  t.equal(chosen?.id, 'fra-1')
  const [paris] = weighing?.sites ?? []
  if (paris === undefined || choice === undefined) throw new Error('nothing was weighed')
  t.match(fitEdgesOf(edgesAt(paris), choice), {
    candidates: [{ id: 'par-1' }],
    dropped: [{ edge: { id: 'par-2' }, reason: 'draining' }],
  })

  const dead = choosing(cluster, { place: IN_PARIS, reports: {} }).decide({ peer: '8.8.8.8' })
  t.equal(dead.weighing?.sites.length, 3)
  t.ok(dead.weighing?.sites.every(({ verdict }) => verdict === 'no-fit-edge'))
})
