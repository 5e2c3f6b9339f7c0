// A URL is prefetched onto the edge that steering sends its viewers to, as long as nothing is overloaded or away.
import fc from 'fast-check'
import t from 'tap'
import { Owners } from '../../scheduler/prefetch/owners.ts'
import { buildSnapshot } from '../../scheduler/snapshot.ts'
import { steer } from '../../scheduler/steer-flow.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { edgeEntry, queryFor, reportOf, schedulerSettings } from '../kit/scheduler.ts'
import { uniformPlaces } from '../kit/made-places.ts'

const NOW_MS = 1_000_000
const edges = [
  edgeEntry('gz-1', 'guangzhou'),
  edgeEntry('gz-2', 'guangzhou', { weight: 3 }),
  edgeEntry('gz-3', 'guangzhou', { capacity: { bandwidth: '2Gbit' } }),
  edgeEntry('gz-4', 'guangzhou', { weight: 0 }),
  edgeEntry('fra-1', 'frankfurt'),
  edgeEntry('fra-deep', 'frankfurt', { pinned: ['192.0.2.0/24'] }),
]
const topology = buildTopology(schedulerSettings({ edges }))
const reports = new Map(
  topology.edges.map(({ id }) => [
    id,
    { report: reportOf(id, { uptimeMs: 3_600_000 }), receivedAtMs: NOW_MS, heldAtMs: null },
  ]),
)
const snapshot = buildSnapshot(topology, uniformPlaces(), reports)
const shows = topology.properties.findById('shows')
if (shows === undefined) throw new Error('no property')

t.test('the same as steering', async (t) => {
  const owners = new Owners(topology, ['guangzhou'])
  const used = new Set<string>()
  const segment = fc.stringMatching(/^[a-z0-9]{1,8}$/)
  fc.assert(
    fc.property(segment, segment, segment, (a, b, file) => {
      const path = `/${a}/${b}/${file}.m3u8`
      const [owner] = owners.of(shows, path)
      used.add(owner?.id ?? '')
      const { chosen } = steer(queryFor({ path }), snapshot, NOW_MS)
      return owner !== undefined && chosen?.id === owner.id
    }),
  )
  t.same([...used].toSorted(), ['gz-1', 'gz-2', 'gz-3'], 'each has its share, and weight 0 none')
})

t.test('a pinned edge has all of what goes to its site', async (t) => {
  const ids = new Owners(topology, ['frankfurt', 'nowhere']).of(shows, '/a/b').map(({ id }) => id)
  t.same(ids.toSorted(), ['fra-1', 'fra-deep'])
  t.same(new Owners(topology, []).of(shows, '/a/b'), [])
})
