// Hot assets by what edges report they send: sums over the edges of a site, for a directory and those above it, that
// go up at once and down slowly; and how many edges an asset gets by them.
import t from 'tap'
import { DemandTracker, NO_DEMAND } from '../../scheduler/choose/demand.ts'
import type { Demand } from '../../scheduler/choose/demand.ts'
import { copiesForBits } from '../../scheduler/choose/edges.ts'
import { hash64 } from '../../src/rendezvous.ts'
import { ReportedRates } from '../../scheduler/choose/reported-rates.ts'
import type { SeenReport } from '../../scheduler/registry/registry.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { NOW_MS, assetPath, choosing, site } from '../kit/choosing.ts'
import { edgeEntry, reportOf, schedulerSettings } from '../kit/scheduler.ts'

const [GZ1, GZ2, FRA] = ['gz-1', 'gz-2', 'fra-1']
const topology = buildTopology(schedulerSettings())

/** Megabits a second of directories of `shows`, by edge. */
type Sends = Record<string, Record<string, number>>

function said(sends: Sends, receivedAtMs: number): (SeenReport | undefined)[] {
  return topology.edges.map(({ id }) => {
    const sent = sends[id]
    if (sent === undefined) return undefined
    const directories = Object.entries(sent).map(([path, megabits]) => {
      return { property: 'shows', path, bitRate: megabits * 1e6 }
    })
    return { report: reportOf(id, { directories }), receivedAtMs, heldAtMs: null }
  })
}

function rateIn(
  rates: ReportedRates,
  directory: string,
  nowMs: number,
  { siteId = 'guangzhou', property = 'shows' } = {},
): number {
  const [asset, site] = [hash64(property + directory), hash64(siteId)]
  return Math.round(rates.assetBitRate(asset.hi ^ site.hi, asset.lo ^ site.lo, nowMs) / 1e6)
}

t.test('a directory counts for itself and those above it, summed up over its site', async (t) => {
  const rates = new ReportedRates()
  const sends = {
    [GZ1]: { '/ep1/v3/': 100, '/ep1/v1/': 20, '/ep2/': 7 },
    [GZ2]: { '/ep1/v3/': 50 },
    [FRA]: { '/ep1/': 30 },
  }
  rates.take({ topology, reports: said(sends, 0) }, 0)
  const at = (directory: string) => rateIn(rates, directory, 0)
  t.same(['/ep1/v3/', '/ep1/', '/ep2/', '/', '/ep3/', '/ep'].map(at), [150, 170, 7, 177, 0, 0])
  t.equal(rateIn(rates, '/ep1/', 0, { siteId: 'frankfurt' }), 30)
})

t.test('it goes up at once and down slowly', async (t) => {
  const rates = new ReportedRates()
  const say = (megabits: number, nowMs: number) => {
    rates.take({ topology, reports: said({ [GZ1]: { '/a/': megabits } }, nowMs) }, nowMs)
    return rateIn(rates, '/a/', nowMs)
  }
  t.same([say(100, 0), say(800, 1000), say(799, 2000), say(500, 3000)], [100, 800, 799, 760])
  for (let nowMs = 4000; nowMs < 60_000; nowMs += 1000) say(10, nowMs)
  t.ok(say(10, 60_000) < 60, 'after a minute it is nearly what is reported')
  t.equal(say(10, 600_000), 10)
})

t.test('an edge that is down sends nothing; one that is back counts again, once', async (t) => {
  const rates = new ReportedRates()
  const sends = { [GZ1]: { '/a/': 100 }, [GZ2]: { '/a/': 100 } }
  const reports = said(sends, 0)
  for (const nowMs of [0, 100, 200]) rates.take({ topology, reports }, nowMs)
  t.equal(rateIn(rates, '/a/', 200), 200, 'a report counts once however often it is seen')
  rates.take({ topology, reports: said({ [GZ2]: { '/a/': 100 } }, 60_000) }, 300_000)
  rates.take({ topology, reports: said({ [GZ2]: { '/a/': 100 } }, 300_000) }, 300_000)
  t.equal(rateIn(rates, '/a/', 300_000), 100)
  rates.take({ topology, reports: said({ [GZ2]: { '/a/': 100 } }, 300_000) }, 305_001)
  t.equal(rateIn(rates, '/a/', 605_001), 0)
  rates.take({ topology, reports: said(sends, 606_000) }, 606_000)
  t.equal(rateIn(rates, '/a/', 606_000), 200)
})

t.test('what an edge cannot send does not count, nor what no property has', async (t) => {
  const rates = new ReportedRates()
  rates.take({ topology, reports: said({ [GZ1]: { '/a/': 1e12 } }, 0) }, 0)
  t.equal(rateIn(rates, '/a/', 0), 1000, 'its bandwidth')
  const directories = [{ property: 'nobody', path: '/a/', bitRate: 1e9 }]
  const seen = { report: reportOf(GZ2, { directories }), receivedAtMs: 0, heldAtMs: null }
  rates.take({ topology, reports: [undefined, seen] }, 0)
  t.equal(rateIn(rates, '/a/', 0, { property: 'nobody' }), 0)
  const deep = `/${'d/'.repeat(100)}`
  rates.take({ topology, reports: said({ [GZ1]: { [deep]: 1 } }, 1e6) }, 1e6)
  t.same(
    [deep, deep.slice(0, -14), deep.slice(0, -16)].map((path) => rateIn(rates, path, 1e6)),
    [1, 1, 0],
  )
})

t.test('an edge more for each quarter of what one can send', async (t) => {
  t.same(
    [0, 0.24, 0.25, 0.5, 0.99, 1, 50].map((filled) => copiesForBits(filled * 1e9, 1e9, 4)),
    [1, 1, 2, 3, 4, 4, 4],
  )
})

t.test('new clients of a hot asset go to more edges, which keep those that it had', async (t) => {
  const edges = ['a', 'b', 'c', 'd']
  const cluster = { sites: [site('paris', 48.9, 2.4)], edges: edges.map((id) => edgeEntry(id, 'paris')) }
  const edgesAt = (megabits: number) => {
    const directories = [{ property: 'shows', path: '/premiere/v3/', bitRate: megabits * 1e6 }]
    const tracker = new DemandTracker({ edges: edges.length })
    // What is reported alone, not what decisions add.
    const demand: Demand = { ...NO_DEMAND, assetBitRate: (...of) => tracker.assetBitRate(...of) }
    const { decide } = choosing(cluster, { demand, reports: { a: { directories }, b: {}, c: {}, d: {} } })
    tracker.hear(decide().snapshot, NOW_MS)
    const chosen = Array.from({ length: 300 }, (_, i) => {
      return decide({ path: assetPath('premiere'), peer: `198.51.${i >> 8}.${i & 255}` }).chosen?.id
    })
    return [...new Set(chosen)]
  }
  const [one, two, three] = [edgesAt(200), edgesAt(300), edgesAt(600)]
  t.same(
    [one, two, three].map((chosen) => chosen.length),
    [1, 2, 3],
  )
  t.ok(one.every((id) => two.includes(id)) && two.every((id) => three.includes(id)))
})
