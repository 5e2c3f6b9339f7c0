// The order of all sites as one of them sees it.
import t from 'tap'
import { RTT_UNKNOWN_MS } from '../../scheduler/limits.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { edgeEntry, schedulerSettings } from '../kit/scheduler.ts'

t.test('itself first, then by distance, those without a location last as configured', async (t) => {
  const ids = ['nowhere', 'sydney', 'paris', 'paris-too', 'lyon', 'lost']
  const locations: Record<string, { lat: number; lon: number }> = {
    sydney: { lat: -33.9, lon: 151.2 },
    paris: { lat: 48.9, lon: 2.4 },
    'paris-too': { lat: 48.9, lon: 2.4 },
    lyon: { lat: 45.8, lon: 4.8 },
  }
  const sites = ids.map((id) => ({ id, ...(locations[id] && { location: locations[id] }) }))
  const { sites: views } = buildTopology(
    schedulerSettings({ sites, edges: ids.map((id) => edgeEntry(`${id}-1`, id)) }),
  )
  const seenFrom = (id: string) => {
    const neighbours = views.find((site) => site.id === id)?.neighbours
    return Array.from({ length: neighbours?.count ?? 0 }, (_, i) => ({
      id: neighbours?.site(i)?.id,
      ms: Math.round(neighbours?.roundTripMs(i) ?? -1),
    }))
  }

  const fromParis = seenFrom('paris-too')
  t.strictSame(
    fromParis.map(({ id }) => id),
    ['paris-too', 'paris', 'lyon', 'sydney', 'nowhere', 'lost'],
  )
  t.strictSame(
    fromParis.map(({ ms }) => ms),
    [0, 0, 6, 271, RTT_UNKNOWN_MS, RTT_UNKNOWN_MS],
  )
  t.strictSame(
    seenFrom('lost').map(({ id }) => id),
    ['lost', 'nowhere', 'sydney', 'paris', 'paris-too', 'lyon'],
  )
})
