// What holds of every choice: few assets move when an edge comes or goes, loads are bounded, schedulers agree, and the
// answer is never empty while one edge can serve.
import fc from 'fast-check'
import t from 'tap'
import { DOUBTS } from '../../scheduler/choose/candidates.ts'
import { DemandTracker } from '../../scheduler/choose/demand.ts'
import { weighSites } from '../../scheduler/choose/sites.ts'
import type { SteerQuery } from '../../scheduler/query.ts'
import { edgeEntry } from '../kit/scheduler.ts'
import { NOW_MS, assetPath, choosing, site } from '../kit/choosing.ts'
import type { Said } from '../kit/choosing.ts'

const ASSETS = 1500

function edgesAt(place: string, count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, i) => edgeEntry(`${place}-${i}`, place))
}

function placement(edges: Record<string, unknown>[], salt: string): (string | undefined)[] {
  const { ask } = choosing({ sites: [site('here')], edges })
  return Array.from({ length: ASSETS }, (_, i) => ask({ path: assetPath(`${salt}${i}`) })?.id)
}

t.test('adding or removing one of n edges moves about 1/n of the assets', async () => {
  const salts = fc.stringMatching(/^[a-z]{0,8}$/)
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), salts, (count, salt) => {
      const all = edgesAt('here', count)
      const [gone, ...rest] = all
      const before = placement(all, salt)
      const after = placement(rest, salt)
      const moved = after.filter((id, i) => id !== before[i]).length
      const stray = after.filter((id, i) => id !== before[i] && before[i] !== gone?.['id'])
      const share = 1 / count
      const deviation = Math.sqrt((share * (1 - share)) / ASSETS)
      return stray.length === 0 && Math.abs(moved / ASSETS - share) < 5 * deviation
    }),
    { numRuns: 25 },
  )
})

t.test('no edge above 1.25 of its fair share while others have room', async () => {
  const gbits = fc.integer({ min: 1, max: 8 })
  const cluster = fc.record({
    capacities: fc.array(gbits, { minLength: 2, maxLength: 10 }),
    // From one asset that everybody wants to a long tail.
    assets: fc.constantFrom(1, 3, 20, 1000),
    fill: fc.double({ min: 0.2, max: 1.2, noNaN: true }),
  })
  fc.assert(
    fc.property(cluster, ({ capacities, assets, fill }) => {
      const edges = capacities.map((bandwidth, i) =>
        edgeEntry(`e-${i}`, 'here', { capacity: { bandwidth: `${bandwidth}Gbit`, connections: 1_000_000 } }),
      )
      const { ask } = choosing(
        { sites: [site('here')], edges },
        { demand: new DemandTracker({ edges: edges.length }) },
      )
      const total = capacities.reduce((sum, bandwidth) => sum + bandwidth, 0)
      // 200 sessions of 5 Mbit/s fill a gigabit.
      const sessions = Math.round(fill * total * 200)
      const taken = new Map<string, number>()
      for (let i = 0; i < sessions; i++) {
        const id = ask({ path: assetPath(String((i * i) % assets)) })?.id ?? 'none'
        taken.set(id, (taken.get(id) ?? 0) + 1)
      }
      return capacities.every((bandwidth, i) => {
        const fair = (sessions * bandwidth) / total
        // One session more where no edge has room for a whole one.
        return (taken.get(`e-${i}`) ?? 0) <= 1.25 * fair + 1
      })
    }),
    // Edges at just their share: the short way and the long one once added the site's load up in another order.
    { numRuns: 25, examples: [[{ capacities: [4, 6, 3, 8, 2], assets: 1, fill: 0.2 }]] },
  )
})

const IDS = ['a-0', 'a-1', 'a-2', 'b-0', 'b-1', 'c-0']
const SITES = [
  site('a', 50, 8, { countries: ['DE'] }),
  site('b', 48, 2, { networks: ['203.0.113.0/24', '2001:db8::/32'] }),
  site('c', 35, 139),
]
const ENTRIES = IDS.map((id) => edgeEntry(id, id[0] ?? '', { capacity: { bandwidth: '1Gbit' } }))

const anySaid: fc.Arbitrary<Said> = fc.record({
  ageMs: fc.constantFrom(0, 2900, 3500, 4900, 5100, 60_000),
  state: fc.constantFrom('up', 'up', 'degraded', 'draining'),
  sentBitRate: fc.constantFrom(0, 5e8, 9e8, 2e9, 1e300, Number.MAX_VALUE),
  connections: fc.constantFrom(0, 100, 25_000, Number.MAX_SAFE_INTEGER),
  uptimeMs: fc.constantFrom(0, 5000, 1e9),
})
const anyReports = fc.dictionary(fc.constantFrom(...IDS), anySaid)
const anyQuery: fc.Arbitrary<Partial<SteerQuery>> = fc.record({
  peer: fc.constantFrom('203.0.113.7', '2001:db8::7', '192.0.2.1', '10.0.0.1', ''),
  path: fc.constantFrom('/x/m.m3u8', '/y/m.m3u8', '/z/1/2/m.m3u8'),
  search: fc.constantFrom('', ...IDS.map((id) => `?~not=${id}`)),
})

t.test('the same inputs give the same answer on every scheduler', async () => {
  const history = fc.array(fc.tuple(fc.constantFrom('x', 'y'), fc.nat(2000)), { maxLength: 200 })
  fc.assert(
    fc.property(
      anyReports,
      fc.array(anyQuery, { minLength: 1, maxLength: 8 }),
      history,
      fc.shuffledSubarray(ENTRIES, { minLength: ENTRIES.length }),
      (reports, queries, decided, shuffled) => {
        const answers = [ENTRIES, shuffled].map((edges) => {
          const said = edges === ENTRIES ? reports : Object.fromEntries(Object.entries(reports).toReversed())
          const demand = new DemandTracker({ edges: edges.length })
          const { ask } = choosing({ sites: SITES, edges }, { reports: said, demand })
          let nowMs = NOW_MS - 2000
          for (const [asset, later] of decided) {
            nowMs = Math.max(nowMs, NOW_MS - later)
            ask({ path: assetPath(asset) }, nowMs)
          }
          return queries.map((query) => ask(query, NOW_MS)?.id)
        })
        return JSON.stringify(answers[0]) === JSON.stringify(answers[1])
      },
    ),
    { numRuns: 150 },
  )
})

t.test('with any mix of bad edges the answer is never empty while one edge can serve', async () => {
  const traits = fc.record({
    weight: fc.constantFrom(0, 1, 7),
    addresses: fc.constantFrom([], ['192.0.2.9'], ['2001:db8:9::9']),
    capabilities: fc.constantFrom([], ['uhd']),
    pinned: fc.constantFrom([], [], ['203.0.113.0/25'], ['0.0.0.0/0'], ['2001:db8::/48']),
  })
  const scope = fc.record({
    sites: fc.subarray(['a', 'b', 'c']),
    capabilities: fc.constantFrom([], ['uhd']),
  })
  fc.assert(
    fc.property(
      fc.array(traits, { minLength: IDS.length, maxLength: IDS.length }),
      scope,
      anyReports,
      anyQuery,
      (eachTraits, { sites, capabilities }, reports, query) => {
        const edges = ENTRIES.map((entry, i) => Object.assign({}, entry, eachTraits[i]))
        const { decide } = choosing({ sites: SITES, edges, property: { sites, capabilities } }, { reports })
        const steered = decide(query)
        const able = IDS.filter((id, i) => {
          const said = reports[id]
          const has = eachTraits[i]
          if (said === undefined || has === undefined) return false
          if ((said.ageMs ?? 0) > 5000 || said.state === 'draining') return false
          if (sites.length > 0 && !sites.includes(id[0] ?? '')) return false
          if (capabilities.length > 0 && has.capabilities.length === 0) return false
          return has.pinned.length === 0 || isPinnedTo(has.pinned[0] ?? '', query.peer ?? '')
        })
        const id = steered.chosen?.id
        if (able.length === 0) return id === undefined && steered.answer.outcome === 'no-edge'
        const doubts = able.map((one) => {
          const has = eachTraits[IDS.indexOf(one)]
          return doubtOf(one, has?.weight ?? 1, has?.addresses ?? [], reports[one], query)
        })
        const least = DOUBTS[Math.min(...doubts)]
        return steered.ranked.every((one) => able.includes(one.id) && one.doubt === least) && id !== undefined
      },
    ),
    { numRuns: 600 },
  )
})

t.test('no site is cheaper than the chosen one, though few are looked at', async () => {
  const spots = fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -20, max: 20 }))
  const loads = fc.double({ min: 0.6, max: 1, noNaN: true })
  const places = fc.array(fc.tuple(spots, loads), { minLength: 2, maxLength: 12 })
  fc.assert(
    fc.property(places, fc.nat(11), anyQuery, spots, (made, from, query, [lat, lon]) => {
      const sites = made.map(([[lat, lon]], i) =>
        site(`s-${i}`, lat, lon, i === from ? { networks: ['203.0.113.0/24'] } : {}),
      )
      const edges = made.map((_, i) => edgeEntry(`e-${i}`, `s-${i}`))
      const reports = Object.fromEntries(made.map(([, load], i) => [`e-${i}`, { sentBitRate: load * 1e9 }]))
      const place = { country: undefined, position: { lat, lon } }
      const { decide } = choosing({ sites, edges }, { reports, place })
      const { order, choice, weighing } = decide({ ...query, search: '' })
      if (order === undefined || choice === undefined) return false
      const costs = sites.map(({ id }) => {
        const property = { ...choice.property, siteIds: new Set([String(id)]) }
        return weighSites(order, { ...choice, property }).chosen?.costMs ?? -Infinity
      })
      return weighing?.chosen?.costMs === Math.min(...costs)
    }),
    { numRuns: 200 },
  )
})

/** What speaks against an edge that can serve, as its place in DOUBTS. */
function doubtOf(
  id: string,
  weight: number,
  addresses: readonly string[],
  said: Said | undefined,
  { peer = '', search }: Partial<SteerQuery>,
): number {
  const family = peer.includes(':') ? ':' : '.'
  const reached = addresses.length === 0 || addresses.some((address) => address.includes(family))
  if (peer !== '' && !reached) return DOUBTS.indexOf('address-family')
  if ((said?.ageMs ?? 0) > 3000) return DOUBTS.indexOf('silent')
  if (search === `?~not=${id}`) return DOUBTS.indexOf('avoided')
  return weight === 0 ? DOUBTS.indexOf('no-weight') : 0
}

/** Of the networks and clients above. */
function isPinnedTo(network: string, peer: string): boolean {
  if (network === '203.0.113.0/25') return peer === '203.0.113.7'
  if (network === '0.0.0.0/0') return peer.includes('.')
  return peer === '2001:db8::7'
}
