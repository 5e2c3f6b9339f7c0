// How an edge fares from report to report: the states and their thresholds both ways, what counts as coming and going,
// and how long that is held against it.
import t from 'tap'
import { nextHealth } from '../../scheduler/health/edge-health.ts'
import type { EdgeHealth } from '../../scheduler/health/edge-health.ts'
import { dampedUntilMs, flapped, NO_FLAPS } from '../../scheduler/health/flap-damping.ts'
import { stateOf, suspicionOf, weightIn } from '../../scheduler/health/liveness.ts'
import { rampUpOf } from '../../scheduler/health/ramp-up.ts'
import { ageOf } from '../../scheduler/registry/registry.ts'
import type { SeenReport } from '../../scheduler/registry/registry.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { reportOf } from '../kit/scheduler.ts'

const CAPACITY = { bandwidth: 1e9, connectionsMax: 1000 }
const LONG_UP = 3_600_000

/** An edge that reports, falls silent, restarts, as the scheduler hears it. */
class HeardEdge {
  nowMs = 1_000_000
  seen: SeenReport | undefined
  health: EdgeHealth | undefined
  #startedMs = this.nowMs - LONG_UP
  #life = 0

  hear(over: Partial<EdgeReport> = {}, seen: Partial<SeenReport> = {}): this {
    const uptimeMs = this.nowMs - this.#startedMs
    const report = reportOf('e', { uptimeMs, instance: `life-${this.#life}`, ...over })
    this.seen = { report, receivedAtMs: this.nowMs, heldAtMs: null, ...seen }
    this.health = nextHealth(this.health, this.seen, CAPACITY)
    return this
  }

  /** So many reports, a second apart. */
  hearFor(seconds: number, over: Partial<EdgeReport> = {}): this {
    for (let i = 0; i < seconds; i++) this.silent(1000).hear(over)
    return this
  }

  silent(ms: number): this {
    this.nowMs += ms
    return this
  }

  restart(): this {
    this.#startedMs = this.nowMs
    this.#life += 1
    return this
  }

  get state() {
    return stateOf(this.seen, this.nowMs, this.health)
  }

  get suspicion() {
    return this.seen && suspicionOf(ageOf(this.seen, this.nowMs), this.health, this.nowMs)
  }

  get ramp() {
    return this.seen && rampUpOf(this.seen, this.health, this.nowMs)
  }
}

t.test('silence: suspect after three seconds, down after five, and never heard is down', async (t) => {
  const edge = new HeardEdge()
  t.equal(edge.state, 'down')
  edge.hear()
  const states = [0, 2999, 1, 1, 1999, 1].map((ms) => edge.silent(ms).state)
  t.same(states, ['up', 'up', 'up', 'suspect', 'suspect', 'down'])
  t.equal(edge.suspicion, 'silent')
})

t.test('back from down it is suspect until it has been heard for a while', async (t) => {
  const edge = new HeardEdge().hear().silent(5001).hear()
  t.same([edge.state, edge.suspicion], ['suspect', 'returning'])
  t.equal(edge.hearFor(2).state, 'suspect')
  t.equal(edge.hearFor(1).state, 'up')
  t.ok((edge.ramp ?? 1) < 0.3, 'and gets its share by and by')
  t.equal(edge.hearFor(27).ramp, 1)
})

t.test('one report and the silence after it are no recovery', async (t) => {
  const edge = new HeardEdge().hear().silent(60_000).hear()
  for (let ms = 0; ms <= 5000; ms += 100, edge.silent(100)) t.equal(edge.state, 'suspect', `${ms} ms later`)
  t.equal(edge.state, 'down')
})

t.test('a short silence is forgiven at the next report', async (t) => {
  const edge = new HeardEdge().hear().silent(4500)
  t.equal(edge.state, 'suspect')
  t.same([edge.hear().state, edge.ramp], ['up', 1])
})

t.test('overloaded by two thresholds, of bits or of connections', async (t) => {
  for (const at of [
    (used: number) => ({ sentBitRate: used * CAPACITY.bandwidth }),
    (used: number) => ({ connections: Math.round(used * CAPACITY.connectionsMax) }),
  ]) {
    const edge = new HeardEdge()
    const states = [0.94, 0.95, 0.9, 0.85, 0.84, 0.94, 2].map(
      (used) => edge.silent(1000).hear(at(used)).state,
    )
    const expected = ['up', 'overloaded', 'overloaded', 'overloaded', 'up', 'up', 'overloaded']
    t.same(states, expected)
  }
  t.equal(new HeardEdge().hear({ sentBitRate: Number.MAX_VALUE }).state, 'overloaded', 'as first report, too')
})

function overridden(state: 'drain' | 'down' | null): Pick<SeenReport, 'override'> {
  return { override: { state, weight: 1, reason: '', setAtMs: 0 } }
}

function said(report: Partial<EdgeReport>, seen: Partial<SeenReport> = {}): HeardEdge {
  return new HeardEdge().hear(report, seen)
}

t.test('which word wins', async (t) => {
  const busy = { sentBitRate: 1e9 }
  t.equal(said({ state: 'degraded', ...busy }).state, 'degraded')
  t.equal(said({ state: 'draining', ...busy }).state, 'draining')
  t.equal(said(busy, overridden('drain')).state, 'draining')
  t.equal(said({ state: 'draining' }, overridden('down')).state, 'down')
  t.equal(said(busy, overridden(null)).state, 'overloaded', 'a weight alone changes no state')
  t.equal(said({ state: 'draining' }).silent(4000).state, 'draining', 'it has said why it is silent')
  t.equal(said({ state: 'draining' }).silent(5001).state, 'down')
  t.equal(said({ state: 'degraded' }).silent(4000).state, 'suspect')
  t.same([weightIn('degraded', 8), weightIn('overloaded', 8)], [2, 8])
})

t.test('a crash loop is damped, and the end of it is seen', async (t) => {
  const edge = new HeardEdge().hear()
  let crashes = 0
  while (edge.state === 'up' && crashes < 50) {
    edge.silent(2000).restart().silent(500).hear()
    crashes += 1
  }
  t.same([crashes, edge.suspicion], [4, 'flapping'])
  for (let i = 0; i < 100; i++) edge.silent(2000).restart().silent(500).hear()
  const stableMs = edge.nowMs
  while (edge.state === 'suspect') edge.hearFor(1)
  const dampedMs = edge.nowMs - stableMs
  t.ok(dampedMs > 60_000 && dampedMs <= 150_000, `damped for ${dampedMs} ms after the last crash`)
  t.equal(edge.hearFor(600).state, 'up')
  t.equal(edge.silent(1000).restart().silent(500).hear().state, 'up', 'all is forgotten by now')
})

t.test('a region that comes and goes is damped; now and then is no flapping', async (t) => {
  const flapping = new HeardEdge().hear()
  for (let i = 0; i < 4; i++) flapping.silent(8000).hear().hearFor(4)
  t.equal(flapping.suspicion, 'flapping')
  const seldom = new HeardEdge().hear()
  for (let i = 0; i < 20; i++) {
    seldom.silent(8000).hear().hearFor(120)
    t.equal(seldom.state, 'up', `after ${i + 1} times`)
  }
  const lossy = new HeardEdge().hear()
  for (let i = 0; i < 10; i++) lossy.silent(3500).hear()
  t.equal(lossy.suspicion, 'flapping', 'short silences count by half')
})

t.test('what was planned is no flap, however often it is done', async (t) => {
  const drained = new HeardEdge().hear()
  for (let i = 0; i < 10; i++) drained.hear({ state: 'draining' }).silent(2000).restart().hear().hearFor(3)
  t.equal(drained.state, 'up', 'restarts')
  for (let i = 0; i < 10; i++) drained.hear({ state: 'draining' }).silent(60_000).restart().hear()
  t.same([drained.state, drained.suspicion], ['suspect', 'returning'], 'reboots')
  t.equal(drained.hearFor(3).state, 'up')

  const taken = new HeardEdge().hear()
  for (let i = 0; i < 10; i++) {
    taken.hear({}, overridden('drain')).silent(6000).restart().hear({}, overridden('drain'))
    taken.silent(1000).hear()
  }
  t.equal(taken.hearFor(3).state, 'up', 'an operator who took it out first')
})

t.test('silence while reports were held says nothing', async (t) => {
  const edge = new HeardEdge().hear()
  for (let i = 0; i < 10; i++) {
    const heldAtMs = edge.nowMs
    edge.hear({}, { heldAtMs }).silent(60_000)
    t.equal(edge.state, 'up', 'its age stands still')
    edge.hear().silent(1000).hear()
  }
  t.same([edge.state, edge.ramp], ['up', 1], 'and it comes back as if it had never been away')
})

t.test('a penalty is bounded, halves with time and never shortens what was set', async (t) => {
  let penalty = NO_FLAPS
  let untilMs = -Infinity
  for (let nowMs = 0; nowMs < 500_000; nowMs += 500) {
    penalty = flapped(penalty, 1, nowMs)
    const next = dampedUntilMs(penalty, untilMs)
    if (next < untilMs || next > nowMs + 150_000) t.fail(`${next} at ${nowMs}`)
    untilMs = next
  }
  t.equal(penalty.value, 8)
  t.equal(flapped(penalty, 0, penalty.atMs + 60_000).value, 4)
  t.equal(flapped(penalty, 0, penalty.atMs - 60_000).value, 8, 'a clock that went back fades nothing')
})

t.test('a report that was seen already, or none at all, changes nothing', async (t) => {
  const edge = new HeardEdge().hear()
  t.equal(nextHealth(edge.health, edge.seen, CAPACITY), edge.health)
  t.equal(nextHealth(edge.health, undefined, CAPACITY), edge.health)
  t.equal(nextHealth(undefined, undefined, CAPACITY), undefined)
  const first = new HeardEdge().restart().hear()
  t.same([first.state, first.ramp], ['up', 0.1], 'the first report of a new edge: up, with a small share')
})
