// The fleet as a whole, steered by the real code: a thousand edges at a hundred sites and a million sessions a minute,
// while edges die, hang and come back, a region flaps, a crowd gathers and the control network is cut. The seeds are
// fixed: what one run finds, every run finds. `npm run simulate` goes on with others, for longer.
import t from 'tap'
import { addSession } from './fleet.ts'
import { pageOf } from './report.ts'
import { EVENT_KINDS, ROUND_MS_MIN } from './script.ts'
import { loadGround, Simulation } from './simulation.ts'
import type { SimulationOptions } from './simulation.ts'
import { gini, Histogram } from './statistics.ts'

// Alone on a core it takes about a minute.
t.setTimeout(600_000)

const ground = await loadGround()
const optionsOf = (over: Partial<SimulationOptions>): SimulationOptions => ({
  seed: 1,
  minutes: ROUND_MS_MIN / 60_000,
  sessionsPerMinute: 1_000_000,
  meanSessionMs: 30_000,
  events: EVENT_KINDS,
  roundMs: ROUND_MS_MIN,
  ...over,
})
const startOf = (over: Partial<SimulationOptions> = {}) =>
  new Simulation(optionsOf({ minutes: 0.02, events: [], ...over }), ground)

const digestOf = (seed: number) => {
  const simulation = startOf({ seed, minutes: 0.05, sessionsPerMinute: 200_000 })
  simulation.run()
  return simulation.digest
}

t.test('through every kind of failure, a million sessions a minute keep every invariant', async (t) => {
  const simulation = new Simulation(optionsOf({ seed: 1 }), ground)
  simulation.run()
  const page = pageOf(simulation)
  if (!t.same(simulation.violations.told, [])) t.comment(page)
  const { checks, lateSeconds, placement, balance, outages, script } = simulation
  t.equal(script.events.length, EVENT_KINDS.length)
  // What was looked for was there to be found.
  t.ok(checks.decisions > 1_100_000, `${checks.decisions} decisions`)
  t.ok(lateSeconds.silent.count > 0 && lateSeconds.mute.count > 0, 'edges died while clients came')
  t.ok(outages.returned > 300, `${outages.returned} edges came back from an outage of reports`)
  t.ok(checks.nearness.away.congestion > 0 && checks.nearness.away.edges > 0, 'clients went past full sites')
  t.ok(balance.untouched.count > 1000 && placement.byRate.every(({ count }, i) => i > 3 || count > 0))
})

t.test('the same seed decides the same, to the last client, and another one does not', async (t) => {
  t.equal(digestOf(7), digestOf(7))
  t.not(digestOf(7), digestOf(8))
})

t.test('an edge that schedulers believe alive and the world knows dead is found', async (t) => {
  const simulation = startOf({ sessionsPerMinute: 50_000 })
  for (const edge of simulation.fleet) edge.deadSinceMs[4] = -60_000
  simulation.run()
  t.ok((simulation.violations.counts.get('dead-edge') ?? 0) > 0)
  t.match(simulation.violations.told[0]?.text, /^\S+ is dead \(mute\) for 60\.\d+ s\n {4}scheduler s\d: /)
})

t.test('a client that goes past a nearer site for nothing is found', async (t) => {
  const simulation = startOf({ sessionsPerMinute: 50_000 })
  const [tokyo, osaka] = simulation.cities
  // The world turns under the schedulers.
  for (const edge of simulation.fleet)
    if (edge.city === tokyo?.index) Object.assign(edge, { city: osaka?.index })
  simulation.run()
  t.match(simulation.violations.told[0], {
    rule: 'not-nearest',
    text: /^tokyo is nearer, and no reason is true/,
  })
})

t.test('a calm site with uneven edges is found', async (t) => {
  const simulation = startOf({ sessionsPerMinute: 50_000 })
  const [edge] = simulation.fleet
  if (edge !== undefined) addSession(edge, 0, 30 * edge.view.bandwidth)
  simulation.balance.look(0)
  t.match(simulation.violations.told[0], {
    rule: 'imbalance',
    text: /^Gini 0\.\d+ at tokyo, calm from the start/,
  })
})

t.test('Gini coefficients and percentiles are what they should be', async (t) => {
  t.equal(gini([3, 3, 3], [1, 2, 3]), 0)
  t.equal(gini([0, 0, 0, 1], [1, 1, 1, 1]), 0.75)
  t.ok(Math.abs(gini([1, 2], [2, 2]) - gini([1, 1, 2, 2], [1, 1, 1, 1])) < 1e-12, 'weights are repetitions')
  t.equal(gini([], []), 0)
  const histogram = new Histogram(1000)
  for (let i = 1; i <= 100; i += 1) histogram.add(i)
  t.same([histogram.at(0.5), histogram.at(0.95), histogram.largest, histogram.mean], [50, 95, 100, 50.5])
  t.equal(histogram.above(90), 0.1)
})
