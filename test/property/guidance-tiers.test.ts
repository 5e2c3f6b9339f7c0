// What holds of tiers, whatever the sites, the properties and the health of the edges: no circle, nobody in them who
// cannot fill, everybody of a site told the same.
import fc from 'fast-check'
import t from 'tap'
import { fillPlanOf } from '../../scheduler/guidance/fill-plan.ts'
import type { FillGroup, FillPlan } from '../../scheduler/guidance/fill-plan.ts'
import type { Filler } from '../../scheduler/guidance/filler.ts'
import { TIER_EDGES_MAX } from '../../scheduler/guidance/limits.ts'
import { chainsAt } from '../../scheduler/guidance/site-guidance.ts'
import { tiersAt } from '../../scheduler/guidance/tiers.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import type { SiteView } from '../../scheduler/topology.ts'
import { edgeEntry, schedulerSettings } from '../kit/scheduler.ts'

const SITES = ['s0', 's1', 's2', 's3', 's4']

/** The last two fill those that ask for the nearest. */
const FILLING = new Set(SITES.slice(-2))
/** Parents come later in the list: no circle, as the configuration is checked for. */
const anyParents = fc.tuple(
  ...SITES.map((id, i) => {
    const named = fc.shuffledSubarray(SITES.slice(i + 1), { minLength: 0 })
    return FILLING.has(id) ? named : fc.oneof(named, fc.constant('nearest' as const))
  }),
)
const anyLocation = fc.record({
  lat: fc.double({ min: -90, max: 90, noNaN: true }),
  lon: fc.double({ min: -180, max: 180, noNaN: true }),
})
const anyProperty = fc.record(
  {
    sites: fc.subarray(SITES),
    capabilities: fc.constantFrom([], ['uhd']),
    peers: fc.boolean(),
    shield: fc.constantFrom(...SITES),
  },
  { requiredKeys: [] },
)
const anyEdge = fc.record({
  site: fc.constantFrom(...SITES),
  capabilities: fc.constantFrom([], ['uhd']),
  pinned: fc.constantFrom([], [], ['203.0.113.0/24']),
})
const anyFiller: fc.Arbitrary<Filler> = fc.record({
  fit: fc.constantFrom('first', 'first', 'last', 'never'),
  weight: fc.constantFrom(1, 4),
  isAlive: fc.boolean(),
})
const anyCluster = fc.record({
  parents: anyParents,
  locations: fc.tuple(...SITES.map(() => anyLocation)),
  properties: fc.array(anyProperty, { minLength: 1, maxLength: 4 }),
  // Each site has one that serves anybody: a shield without is refused.
  edges: fc.array(anyEdge, { maxLength: 12 }),
  fillers: fc.array(anyFiller, { minLength: 17, maxLength: 17 }),
})

type AnyCluster = typeof anyCluster extends fc.Arbitrary<infer Value> ? Value : never

function clusterOf({ parents, locations, properties, edges }: AnyCluster): {
  plan: FillPlan
  sites: readonly SiteView[]
} {
  const entries = [...SITES.map((site) => ({ site, capabilities: ['uhd'], pinned: [] })), ...edges]
  const settings = schedulerSettings({
    sites: SITES.map((id, i) => ({
      id,
      parents: parents[i],
      location: locations[i],
      fills: FILLING.has(id),
    })),
    edges: entries.map(({ site, ...over }, i) => edgeEntry(`e${i}`, site, over)),
    properties: properties.map((property, i) => ({ id: `p${i}`, origins: [{ id: 'studio' }], ...property })),
  })
  const topology = buildTopology(settings)
  return { plan: fillPlanOf(settings, topology), sites: topology.sites }
}

/** Sites that a site asks further up, whichever edges are well. */
function asked(
  site: SiteView,
  group: FillGroup,
  { plan, sites }: ReturnType<typeof clusterOf>,
  fillers: Filler[],
) {
  const tiers = tiersAt(site, group, plan.parents[site.index] ?? [], fillers)
  return tiers
    .filter(({ kind }) => kind !== 'peers')
    .flatMap(({ views }) => sites.filter(({ id }) => id === views[0]?.siteId))
}

t.test('nobody is asked who asks in turn', async () => {
  fc.assert(
    fc.property(anyCluster, (any) => {
      const cluster = clusterOf(any)
      for (const group of cluster.plan.groups) {
        for (const start of cluster.sites) {
          let level = [start]
          // A way through as many sites as there are ends, unless it is a circle.
          for (let step = 0; step < SITES.length; step++) {
            level = level.flatMap((site) => asked(site, group, cluster, any.fillers))
          }
          if (level.length > 0) return false
        }
      }
      return true
    }),
  )
})

t.test('only edges that can fill are in a tier, suspects where there is nobody else', async () => {
  fc.assert(
    fc.property(anyCluster, (any) => {
      const { plan, sites } = clusterOf(any)
      for (const group of plan.groups) {
        for (const site of sites) {
          for (const { kind, views } of tiersAt(site, group, plan.parents[site.index] ?? [], any.fillers)) {
            const fits = new Set(views.map(({ index }) => any.fillers[index]?.fit))
            if (views.length === 0 || fits.has('never') || fits.size > 1) return false
            if (views.some((edge) => edge.pinned !== null)) return false
            const isBetterThere = (first: SiteView['edges'][number]) =>
              any.fillers[first.index]?.fit === 'first' &&
              first.siteId === views[0]?.siteId &&
              first.pinned === null &&
              group.capabilities.every((label) => first.capabilities.has(label))
            if (fits.has('last') && sites.some(({ edges }) => edges.some(isBetterThere))) return false
            const [first] = views
            if (views.some(({ siteId }) => siteId !== first?.siteId)) return false
            if (group.capabilities.some((label) => views.some((edge) => !edge.capabilities.has(label))))
              return false
            if ((kind === 'peers') !== (first?.siteId === site.id)) return false
            if (kind !== 'shield' && group.siteIds !== null && !group.siteIds.has(first?.siteId ?? ''))
              return false
          }
        }
      }
      return true
    }),
  )
})

const half = (from: number, to: number) => Math.sin(((to - from) * Math.PI) / 360) ** 2

/** Degrees along the great circle, by the haversine. */
function degreesBetween(
  a: { lat: number; lon: number } | undefined,
  b: { lat: number; lon: number } | undefined,
): number {
  if (a === undefined || b === undefined) return Infinity
  const level = Math.cos((a.lat * Math.PI) / 180) * Math.cos((b.lat * Math.PI) / 180)
  return (360 / Math.PI) * Math.asin(Math.sqrt(Math.min(1, half(a.lat, b.lat) + level * half(a.lon, b.lon))))
}

t.test('of those that fill the nearest the nearest is asked that has an edge that is well', async () => {
  fc.assert(
    fc.property(anyCluster, (any) => {
      const { plan, sites } = clusterOf(any)
      return plan.groups.every((group) =>
        sites.every((site, i) => {
          if (any.parents[i] !== 'nearest' || site === group.shield) return true
          const isWell = ({ id, ordinary }: SiteView) =>
            (group.siteIds === null || group.siteIds.has(id)) &&
            ordinary.some(
              ({ index, capabilities }) =>
                any.fillers[index]?.fit === 'first' &&
                group.capabilities.every((label) => capabilities.has(label)),
            )
          const well = sites.filter((other) => FILLING.has(other.id) && isWell(other))
          if (well.length === 0) return true
          const tiers = tiersAt(site, group, plan.parents[site.index] ?? [], any.fillers)
          const asked = tiers.find(({ kind }) => kind === 'parents')?.views[0]?.siteId
          const away = (id: string) => degreesBetween(any.locations[i], any.locations[SITES.indexOf(id)])
          // Those equally far, to a metre, are told apart by rounding alone.
          return (
            asked !== undefined &&
            well.some(({ id }) => id === asked) &&
            well.every(({ id }) => away(asked) <= away(id) + 1e-5)
          )
        }),
      )
    }),
  )
})

t.test('an edge that comes or goes changes the guidance of those sites alone that may ask it', async () => {
  fc.assert(
    fc.property(anyCluster, fc.nat(16), anyFiller, (any, at, now) => {
      const { plan, sites } = clusterOf(any)
      const edge = sites.flatMap(({ edges }) => edges).find(({ index }) => index === at)
      const home = sites.find(({ id }) => id === edge?.siteId)
      if (home === undefined) return true
      const after = any.fillers.with(at, now)
      return sites.every((site) => {
        const isAsker = plan.askers[home.index]?.has(site) === true
        const was = JSON.stringify(chainsAt(site, plan, any.fillers))
        return isAsker || was === JSON.stringify(chainsAt(site, plan, after))
      })
    }),
  )
})

t.test('of a large site every asker is told the same edges, and one that goes moves one place', async (t) => {
  const COUNT = 200
  const settings = schedulerSettings({
    sites: [{ id: 'hub' }, { id: 'a', parents: ['hub'] }, { id: 'b', parents: ['hub'] }],
    edges: [
      ...Array.from({ length: COUNT }, (_, i) => edgeEntry(`h${i}`, 'hub')),
      edgeEntry('a', 'a'),
      edgeEntry('b', 'b'),
    ],
  })
  const topology = buildTopology(settings)
  const plan = fillPlanOf(settings, topology)
  const well: Filler[] = topology.edges.map(() => ({ fit: 'first', weight: 1, isAlive: true }))
  const tierAt = (id: string, kind: string, fillers: readonly Filler[]): readonly string[] => {
    const site = topology.sites.find((one) => one.id === id)
    const [group] = plan.groups
    if (site === undefined || group === undefined) return []
    const tiers = tiersAt(site, group, plan.parents[site.index] ?? [], fillers)
    return tiers.find((tier) => tier.kind === kind)?.edges ?? []
  }
  const asked = tierAt('a', 'parents', well)
  t.equal(asked.length, TIER_EDGES_MAX)
  t.same(tierAt('b', 'parents', well), asked)
  t.same(tierAt('hub', 'peers', well), asked, 'owners within the site are the same too')
  const gone = topology.edgesById.get(asked[0] ?? '')?.index ?? -1
  const without = tierAt('a', 'parents', well.with(gone, { fit: 'never', weight: 1, isAlive: false }))
  t.equal(without.length, TIER_EDGES_MAX)
  t.equal(without.filter((id) => !asked.includes(id)).length, 1)
})
