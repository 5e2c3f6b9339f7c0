// The nearest site is the one that a look at all of them finds: wherever sites and clients are, also at the poles, at one
// place, and where some have no location.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { nearestSite } from '../../scheduler/locate/nearest.ts'
import { directionOf, nearness } from '../../scheduler/locate/sphere.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { edgeEntry, schedulerSettings } from '../kit/scheduler.ts'

/** Often the same ones. */
const degrees = (bound: number) =>
  fc.oneof(
    fc.constantFrom(-bound, 0, bound),
    fc.integer({ min: -bound, max: bound }),
    fc.double({ min: -bound, max: bound, noNaN: true }),
  )
const position = fc.record({ lat: degrees(90), lon: degrees(180) }, { noNullPrototype: true })
const locations = fc.array(fc.option(position, { nil: undefined }), { minLength: 1, maxLength: 40 })

t.test('of any sites, to any position', (t) => {
  fc.assert(
    fc.property(locations, fc.array(position, { minLength: 1 }), (located, clients) => {
      const sites = located.map((location, i) => ({
        id: `s${i}`,
        ...(location !== undefined && { location }),
      }))
      const edges = sites.map(({ id }) => edgeEntry(`e-${id}`, id))
      const topology = buildTopology(schedulerSettings({ sites, edges }))
      for (const client of clients) {
        const direction = directionOf(client)
        const near = topology.sites.map((site) => nearness(direction, site.direction))
        const best = Math.max(...near)
        const expected = best === -2 ? undefined : topology.sites[near.indexOf(best)]
        assert.equal(nearestSite(topology.sites, client)?.id, expected?.id)
      }
    }),
    { numRuns: 300 },
  )
  t.end()
})
