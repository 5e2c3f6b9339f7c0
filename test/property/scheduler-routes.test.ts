// What holds of every list: its first edge is where a redirect leads, no edge stands on it that may not serve, and no
// list is empty while one edge can serve.
import fc from 'fast-check'
import t from 'tap'
import { choosing, site } from '../kit/choosing.ts'
import type { Said } from '../kit/choosing.ts'
import { edgeEntry } from '../kit/scheduler.ts'

const SITES = 5
const EDGES_OF_SITE = 3

const said = fc.constantFrom<Said | null>(
  {},
  {},
  { sentBitRate: 9e8 },
  { state: 'degraded' },
  { state: 'draining' },
  { override: 'drain' },
  { override: 'down' },
  { ageMs: 4000 },
  { ageMs: 9000 },
  null,
)
const states = fc.array(said, { minLength: SITES * EDGES_OF_SITE, maxLength: SITES * EDGES_OF_SITE })
const CANNOT = new Set(['draining', 'down'])

const sites = Array.from({ length: SITES }, (_, i) => site(`s${i}`, i * 10, i * 15))
const edges = sites.flatMap(({ id }) =>
  Array.from({ length: EDGES_OF_SITE }, (_, i) => edgeEntry(`${String(id)}-${i}`, String(id))),
)

function clusterOf(all: readonly (Said | null)[]) {
  const reports = Object.fromEntries(
    edges.flatMap(({ id }, i): [string, Said][] => {
      const one = all[i]
      return one === null || one === undefined ? [] : [[String(id), one]]
    }),
  )
  return choosing({ sites, edges, property: { contentSteering: {} } }, { reports })
}

/** Two of the first site, one of each other; what further ones these have only when there are no more sites. */
function isSpread(places: readonly string[]): boolean {
  const shares = new Map<string, number>()
  let leftovers = false
  for (const place of places) {
    const share = (shares.get(place) ?? 0) + 1
    if (share === 1 && leftovers) return false
    leftovers ||= share > (place === places[0] ? 2 : 1)
    shares.set(place, share)
  }
  return true
}

t.test('routes', async () => {
  fc.assert(
    fc.property(
      states,
      fc.integer({ min: 1, max: 8 }),
      fc.stringMatching(/^[a-z]{1,8}$/),
      (all, count, name) => {
        const { decide } = clusterOf(all)
        const path = `/${name}/main.m3u8`
        const { chosen } = decide({ path })
        const { routes } = decide({ path: '/.edgeward/route', search: `?url=${path}&count=${count}` })
        const ids = routes.map(({ candidate }) => candidate.id)
        const first = routes[0]?.candidate
        return (
          ids[0] === chosen?.id &&
          ids.length <= count &&
          new Set(ids).size === ids.length &&
          routes.every(({ candidate }) => !CANNOT.has(candidate.state)) &&
          (first?.doubt !== 'none' || routes.every(({ candidate }) => candidate.doubt === 'none')) &&
          isSpread(routes.map(({ site: at }) => at.site.id))
        )
      },
    ),
  )
})

t.test('steering lists', async () => {
  const edge = fc.constantFrom(...edges.map(({ id }) => String(id)), 'gone')
  fc.assert(
    fc.property(states, edge, edge, (all, from, pathway) => {
      const { decide } = clusterOf(all)
      const search = `?asset=/a/main.m3u8&from=${from}&_HLS_pathway=${pathway === from ? '.' : pathway}`
      const { answer, chosen, pathways } = decide({ path: '/.edgeward/steering/shows', search })
      const canServe = decide({ path: '/a/main.m3u8' }).chosen !== undefined || pathways?.stays !== undefined
      if (answer.status === 503) return !canServe
      const list = JSON.parse(answer.body)
      const priority: string[] = list['PATHWAY-PRIORITY']
      const clones = new Set<string>(list['PATHWAY-CLONES'].map(({ ID }: { ID: string }) => ID))
      const stays = pathways?.stays
      return (
        priority.length > 0 &&
        new Set(priority).size === priority.length &&
        priority.every((id) => id === '.' || clones.has(id)) &&
        !clones.has(from) &&
        (stays === undefined
          ? chosen === pathways?.best
          : priority[0] === (stays.id === from ? '.' : stays.id))
      )
    }),
  )
})
