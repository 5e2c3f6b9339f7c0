// Whom a request that misses may ask, for any guidance: tiers in their order and only further up, one owner of an asset at
// a site for whoever asks, origins by rank before choice.
import fc from 'fast-check'
import t from 'tap'
import { UNGUIDED, compileGuidance } from '../../edge/upstream/guided.ts'
import { upstreamOrigin } from '../../edge/upstream/origin.ts'
import { planUpstreams } from '../../edge/upstream/plan.ts'
import type { Upstream } from '../../edge/upstream/plan.ts'
import type { PropertyChain } from '../../edge/upstream/property-chain.ts'
import { hash64, rankByRendezvous } from '../../src/rendezvous.ts'
import { ORIGIN_CHOICES } from '../../src/config/origin-schema.ts'
import type { WireOriginUse } from '../../src/wire/edge-config.ts'
import { PEER_TIERS } from '../../src/wire/guidance.ts'
import type { Guidance, PeerTier } from '../../src/wire/guidance.ts'
import { plainOrigin } from '../kit/edge-parts.ts'

const OWN = 'e-0'
const SITE = 'north'
const EDGES = Array.from({ length: 8 }, (_, i) => `e-${i}`)

const edgesArb = fc.subarray(EDGES, { minLength: 1 })
const guidanceArb: fc.Arbitrary<Guidance> = fc
  .record({
    weights: fc.tuple(...EDGES.map(() => fc.integer({ min: 1, max: 10 }))),
    peers: fc.option(edgesArb),
    parents: fc.option(edgesArb),
    shield: fc.option(edgesArb),
    states: fc.array(
      fc.option(
        fc.record({
          state: fc.constantFrom('down' as const, 'returning' as const),
          share: fc.constantFrom(0, 0.5, 1),
          probed: fc.boolean(),
        }),
      ),
      { minLength: 4, maxLength: 4 },
    ),
  })
  .map(({ weights, states, ...kinds }) => ({
    version: '1',
    site: SITE,
    secrets: [],
    edges: Object.fromEntries(
      EDGES.map((id, i) => [id, { url: `http://${id}.example.com`, weight: weights[i] ?? 1 }]),
    ),
    chains: [
      {
        properties: ['p'],
        tiers: PEER_TIERS.flatMap((kind) => {
          const edges = kinds[kind]
          return edges === null ? [] : [{ kind, edges }]
        }),
      },
    ],
    origins: Object.fromEntries(states.flatMap((said, i) => (said === null ? [] : [[`o-${i}`, said]]))),
  }))

const useArb: fc.Arbitrary<Omit<WireOriginUse, 'id'>> = fc.record({
  weight: fc.constantFrom(0, 1, 5),
  backup: fc.boolean(),
  sites: fc.constantFrom([], [SITE], ['south'], ['south', SITE]),
})
const chainArb: fc.Arbitrary<PropertyChain> = fc
  .record({
    uses: fc.array(useArb, { minLength: 1, maxLength: 4 }),
    choice: fc.constantFrom(...ORIGIN_CHOICES),
  })
  .map(({ uses, choice }) => ({
    property: 'p',
    origins: uses.map((use, i) => {
      const id = `o-${i}`
      return upstreamOrigin(plainOrigin(`http://${id}.example.com`, id), { id, ...use })
    }),
    choice,
    failover: { statuses: [], attempts: 3, hedge: false },
  }))
const pathArb = fc.constantFrom('/a/1.ts', '/a/2.ts?b=/c/', '/b/1.ts', '/', '/c/d/e?f')
const requestArb = fc.record({
  path: pathArb,
  askedAs: fc.constantFrom(null, ...PEER_TIERS),
  originsAlone: fc.boolean(),
})

function plan(
  chain: PropertyChain,
  guidance: Guidance,
  request: { path: string; askedAs: PeerTier | null; originsAlone: boolean },
  random = () => 0.7,
): readonly Upstream[] {
  return planUpstreams(
    chain,
    compileGuidance(guidance),
    OWN,
    { primaryKey: `p ${request.path}`, ...request },
    random,
  )
}

function idsIn(upstreams: readonly Upstream[], kind: string): string[] {
  return upstreams.flatMap((upstream) => {
    if (upstream.tier !== kind) return []
    return [upstream.tier === 'origins' ? upstream.origin.id : upstream.edge.id]
  })
}

const FURTHER: Record<string, readonly string[]> = {
  client: ['peers', 'parents', 'shield'],
  peers: ['parents', 'shield'],
  parents: ['parents', 'shield'],
  shield: [],
}

t.test('tiers in their order, and only those further up than the one it is asked as', async () => {
  fc.assert(
    fc.property(chainArb, guidanceArb, requestArb, (chain, guidance, request) => {
      const tiers = plan(chain, guidance, request).map(({ tier }) => tier)
      const allowed = request.originsAlone ? [] : (FURTHER[request.askedAs ?? 'client'] ?? [])
      const order = [...allowed, 'origins']
      const places = tiers.map((tier) => order.indexOf(tier))
      return places.every((place, i) => place >= (places[i - 1] ?? 0)) && !places.includes(-1)
    }),
  )
})

t.test(
  'the owner of the asset and its successor, as steering ranks them, until it is this edge',
  async () => {
    fc.assert(
      fc.property(chainArb, guidanceArb, pathArb, (chain, guidance, path) => {
        const upstreams = plan(chain, guidance, { path, askedAs: null, originsAlone: false })
        const bare = path.replace(/\?.*/, '')
        const asset = hash64(`p${bare.slice(0, bare.lastIndexOf('/') + 1)}`)
        return (guidance.chains[0]?.tiers ?? []).every(({ kind, edges }) => {
          const nodes = edges.map((id) => ({ id, hash: hash64(id) }))
          const ranked = rankByRendezvous(asset, nodes, ({ id }) => guidance.edges[id]?.weight ?? 0)
          const best = ranked.slice(0, 2).map(({ id }) => id)
          const expected = best.includes(OWN) ? best.slice(0, best.indexOf(OWN)) : best
          return idsIn(upstreams, kind).join() === expected.join()
        })
      }),
    )
  },
)

/** What must not be asked after anything of a higher number; null: not at all. */
function rank({ id, sites, weight, backup }: WireOriginUse, guidance: Guidance): number | null {
  const said = guidance.origins[id]
  if (sites.length > 0 && !sites.includes(SITE)) return null
  if (said?.state === 'down') return said.probed ? null : 5
  if (backup) return 4
  // The chance of the tests is 0.7.
  if (said !== undefined && said.share <= 0.7) return 2
  if (weight === 0) return 3
  return sites.length > 0 ? 0 : 1
}

t.test(
  'origins by rank, each that may be asked once; within a rank in their order or by the choice',
  async () => {
    fc.assert(
      fc.property(chainArb, guidanceArb, pathArb, (chain, guidance, path) => {
        const ids = idsIn(plan(chain, guidance, { path, askedAs: 'shield', originsAlone: false }), 'origins')
        const ranks = new Map(chain.origins.map((origin) => [origin.id, rank(origin, guidance)]))
        const askable = [...ranks].flatMap(([id, of]) => (of === null ? [] : [id]))
        if (ids.toSorted().join() !== askable.join()) return false
        return ids.every((id, i) => {
          const before = ids[i - 1]
          if (before === undefined) return true
          const [of, ofBefore] = [ranks.get(id) ?? 0, ranks.get(before) ?? 0]
          return ofBefore < of || (ofBefore === of && (chain.choice !== 'order' || before < id))
        })
      }),
    )
  },
)

const shared: PropertyChain = {
  property: 'p',
  origins: [1, 3, 6].map((weight, i) => {
    const use = { id: `o-${i}`, weight, backup: false, sites: [] }
    return upstreamOrigin(plainOrigin(`http://${use.id}.example.com`, use.id), use)
  }),
  choice: 'weight',
  failover: { statuses: [], attempts: 3, hedge: false },
}
const UNTOLD: Guidance = { version: '1', site: SITE, secrets: [], edges: {}, chains: [], origins: {} }

for (const choice of ['weight', 'hash'] as const) {
  t.test(`by ${choice} each origin is first for its share`, async (t) => {
    const firsts = new Map<string, number>()
    let state = 7
    // Park and Miller, so that the test is the same each time.
    const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
    for (let i = 0; i < 10_000; i++) {
      const request = { path: `/${i % 100}/${i}.ts`, askedAs: null, originsAlone: false }
      const [first = ''] = idsIn(plan({ ...shared, choice }, UNTOLD, request, random), 'origins')
      firsts.set(first, (firsts.get(first) ?? 0) + 1)
    }
    for (const [i, share] of [0.1, 0.3, 0.6].entries())
      t.ok(Math.abs((firsts.get(`o-${i}`) ?? 0) / 10_000 - share) < 0.02, `${firsts.get(`o-${i}`)}`)
  })
}

t.test('without guidance its site is not known, and every origin may be asked', async (t) => {
  const use = { id: 'o', weight: 1, backup: false, sites: ['south'] }
  const chain = { ...shared, origins: [upstreamOrigin(plainOrigin('http://o.example.com', 'o'), use)] }
  const request = { primaryKey: 'p /a', path: '/a', askedAs: null, originsAlone: false }
  t.equal(planUpstreams(chain, UNGUIDED, OWN, request, () => 0).length, 1)
  t.equal(planUpstreams(chain, compileGuidance(UNTOLD), OWN, request, () => 0).length, 0, 'of another site')
})
