// What probes of an origin have shown, and what edges together say of it.
import t from 'tap'
import { edgesWord } from '../../scheduler/origin/edges-word.ts'
import type { EdgesView } from '../../scheduler/origin/edges-word.ts'
import { afterOriginProbe, findingOf, isOwnWord } from '../../scheduler/origin/family-standing.ts'
import type { FamilyStandings } from '../../scheduler/origin/family-standing.ts'
import { RecentOutcomes } from '../../scheduler/origin/recent-outcomes.ts'
import type { ProbeResult } from '../../scheduler/health/reachability.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { reportOf, schedulerSettings } from '../kit/scheduler.ts'

const COUNTS = { fall: 2, rise: 3, families: undefined }

/** `4 ok`, `6 refused` … one after the other. */
function probed(steps: readonly string[], counts: Parameters<typeof afterOriginProbe>[3] = COUNTS) {
  let standings: FamilyStandings = new Map()
  for (const step of steps) {
    const [family, result] = step.split(' ')
    // oxlint-disable-next-line no-unsafe-type-assertion -- literals of this file
    const found = { result: result as ProbeResult, detail: '' }
    standings = afterOriginProbe(standings, family === '6' ? 6 : 4, found, counts)
  }
  return standings
}

const finding = (...steps: string[]) => findingOf(probed(steps))

t.test('probes count in a row', async (t) => {
  t.equal(finding(), 'unknown')
  t.equal(finding('4 ok'), 'up', 'one success is enough of one of which nothing is known')
  t.equal(finding('4 ok', '4 refused'), 'up')
  t.equal(finding('4 ok', '4 refused', '4 timeout'), 'down')
  t.equal(finding('4 ok', '4 refused', '4 ok', '4 refused'), 'up', 'not in a row')
  t.equal(finding('4 refused', '4 refused', '4 ok', '4 ok'), 'down')
  t.equal(finding('4 refused', '4 refused', '4 ok', '4 ok', '4 ok'), 'up')
})

t.test('an origin is up over whichever family answers', async (t) => {
  t.equal(finding('4 ok', '6 refused', '6 refused'), 'up')
  t.equal(finding('4 refused', '4 refused', '6 ok'), 'up')
  t.equal(finding('4 refused', '4 refused', '6 refused', '6 refused'), 'down')
  t.equal(finding('4 local', '6 refused', '6 refused'), 'down', 'what cannot be tried here says nothing')
  t.equal(finding('4 refused', '4 refused', '4 local'), 'unknown')
})

t.test('a family that the name has no address of is not down', async (t) => {
  t.equal(findingOf(probed(['6 name', '4 ok', '6 name', '6 name'])), 'up')
  t.equal(probed(['6 name', '4 ok', '6 name', '6 name']).get(6)?.finding, 'unknown')
  t.equal(
    findingOf(probed(['4 name', '6 name', '4 name', '6 name', '4 name'])),
    'down',
    'with none at all it is',
  )
  const both = { ...COUNTS, families: [4, 6] satisfies (4 | 6)[] }
  t.equal(probed(['4 ok', '6 name', '6 name'], both).get(6)?.finding, 'down', 'where the family is asked for')
})

t.test('a status is the word of the origin itself', async (t) => {
  t.equal(isOwnWord(probed(['4 status', '4 status'])), true)
  t.equal(isOwnWord(probed(['4 status', '4 refused'])), false)
  t.equal(isOwnWord(probed(['4 ok', '4 status'])), false, 'not yet down')
})

const ALIVE = { edges: 10, sites: 3 }
const view = (over: Partial<EdgesView>): EdgesView => ({
  edges: 4,
  failing: 4,
  failingSites: 2,
  ok: 0,
  failed: 20,
  ...over,
})

const word = (over: Partial<EdgesView>, heard: Partial<Parameters<typeof edgesWord>[1]> = {}) =>
  edgesWord(view(over), { isDoubted: false, isProbedGood: false, alive: ALIVE, ...heard })

t.test('edges’ word', async (t) => {
  t.equal(word({ edges: 0, failing: 0, failed: 0 }), 'nothing')
  t.equal(word({ failed: 0 }), 'nothing', 'circuits are open, and nobody asks')
  t.equal(word({}), 'failing')
  t.equal(word({ failing: 0, ok: 9, failed: 0 }), 'serving')
  t.equal(
    word({ failing: 1, ok: 9, failed: 50 }),
    'serving',
    'one that is cut off does not take it from the rest',
  )
  t.equal(word({ failing: 2, ok: 9 }), 'unclear', 'half')
  t.equal(word({ failing: 3, ok: 9 }), 'failing', 'more than half')
  t.equal(word({ failed: 4 }), 'unclear', 'too few failures to tell')
  t.equal(
    word({ edges: 1, failing: 1, failingSites: 1 }),
    'unclear',
    'one alone, of many that have not asked',
  )
  t.equal(
    word({ edges: 1, failing: 1, failingSites: 1 }, { alive: { edges: 1, sites: 1 } }),
    'failing',
    'the only one',
  )
  t.equal(word({ failingSites: 1 }), 'failing')
  t.equal(word({ failingSites: 1 }, { isProbedGood: true }), 'unclear', 'one site against the probes')
  t.equal(word({}, { isProbedGood: true }), 'failing', 'two of them')
  t.equal(
    word({ failingSites: 1 }, { isProbedGood: true, alive: { edges: 4, sites: 1 } }),
    'failing',
    'the only site',
  )
  t.equal(
    word({ edges: 1, failing: 1, failed: 2 }, { isDoubted: true }),
    'failing',
    'of one that is coming back',
  )
})

const seen = (id: string, receivedAtMs: number, origins: NonNullable<EdgeReport['origins']>) => ({
  report: reportOf(id, { origins }),
  receivedAtMs,
  heldAtMs: null,
})

t.test('outcomes of the last two seconds, each report once', async (t) => {
  const { edges } = buildTopology(schedulerSettings())
  const recent = new RecentOutcomes(edges, ['studio'])
  const first = [seen('gz-1', 1000, [{ id: 'studio', ok: 9, failed: 5 }]), undefined, undefined]
  t.equal(recent.take(first), true)
  t.equal(recent.take(first), false, 'nothing new')
  t.same(recent.viewOf('studio', 1000), { edges: 1, failing: 0, failingSites: 0, ok: 9, failed: 5 })
  const second = [
    seen('gz-1', 1300, [{ id: 'studio', ok: 0, failed: 2 }]),
    seen('gz-2', 1300, [{ id: 'studio', ok: 3, failed: 4, open: true }]),
    seen('fra-1', 1300, [{ id: 'other', ok: 0, failed: 4 }]),
  ]
  t.equal(recent.take(second), true)
  t.same(
    recent.viewOf('studio', 1300),
    { edges: 2, failing: 2, failingSites: 1, ok: 12, failed: 11 },
    'the newest report of each edge tells whether it fails, and an open circuit does',
  )
  t.equal(recent.hasFailures('studio', 3300), true)
  t.equal(recent.hasFailures('other', 1300), false, 'of no configured origin')
  t.same(recent.viewOf('studio', 3200), { edges: 2, failing: 2, failingSites: 1, ok: 3, failed: 6 })
  t.same(recent.viewOf('studio', 3301).edges, 0)
  t.equal(recent.hasFailures('studio', 3301), false)
})
