// The panic rule: what begins a hold, who is in it, and how it ends; for each kind of evidence by itself, and from the
// registry to the snapshot that decisions read.
import t from 'tap'
import { FleetJudge } from '../../scheduler/health/fleet.ts'
import type { FleetChange, FleetFindings } from '../../scheduler/health/fleet.ts'
import { stateOf } from '../../scheduler/health/liveness.ts'
import { MassFailureGate } from '../../scheduler/health/mass-failure.ts'
import type { Finding } from '../../scheduler/health/mass-failure.ts'
import { REACH_UNKNOWN } from '../../scheduler/health/reachability.ts'
import type { EdgeReach } from '../../scheduler/health/reachability.ts'
import { PANIC_HOLD_MAX_MS } from '../../scheduler/limits.ts'
import type { SeenReport } from '../../scheduler/registry/registry.ts'
import { buildSnapshot } from '../../scheduler/snapshot.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import type { EdgeOverride } from '../../src/wire/override.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { edgeEntry, reportOf, schedulerSettings } from '../kit/scheduler.ts'
import { uniformPlaces } from '../kit/uniform-places.ts'

const TICK_MS = 250

/** A gate that is asked every tick; members are good until they are said to be something else. */
function gateOf(members: number) {
  const findings: Finding[] = Array.from({ length: members }, () => 'good')
  const gate = new MassFailureGate(members)
  const changes: string[] = []
  let nowMs = 0
  const pass = (ms: number) => {
    for (const endMs = nowMs + ms; nowMs < endMs;) {
      nowMs += TICK_MS
      const change = gate.judge((member) => findings[member] ?? 'none', nowMs)
      if (change !== null) changes.push(change)
    }
    return gate.hold?.held.size ?? 0
  }
  pass(1000)
  return { findings, gate, changes, pass }
}

t.test('half of the fleet may go at once; more than half is held', async (t) => {
  const { findings, changes, pass } = gateOf(10)
  findings.fill('bad', 0, 5)
  t.equal(pass(2000), 0)
  findings[5] = 'bad'
  t.equal(pass(250), 6, 'the first five with it: it is one failure')
  t.same(changes, ['begins'])
})

t.test('of two edges both may be dead; of three it is not believed', async (t) => {
  for (const [members, held] of [
    [1, 0],
    [2, 0],
    [3, 3],
    [4, 4],
  ] as const) {
    const { findings, pass } = gateOf(members)
    findings.fill('bad')
    t.equal(pass(60_000), held, `${members}`)
  }
})

t.test('those that were gone before are no part of it', async (t) => {
  const { findings, pass, gate } = gateOf(12)
  findings.fill('bad', 0, 4)
  pass(11_000)
  findings.fill('bad', 4, 8)
  t.equal(pass(1000), 0, 'half of what was left')
  findings[8] = 'bad'
  t.equal(pass(1000), 5)
  t.same([...(gate.hold?.held ?? [])], [4, 5, 6, 7, 8])
})

t.test('it ends when enough is good again, and the rest is believed', async (t) => {
  const { findings, changes, pass } = gateOf(10)
  findings.fill('bad')
  pass(20_000)
  findings.fill('good', 0, 5)
  t.equal(pass(1000), 5, 'half of it is still bad')
  findings[5] = 'good'
  t.equal(pass(TICK_MS), 0)
  t.equal(pass(20_000), 0)
  t.same(changes, ['begins', 'recovered'])
})

t.test('it ends after a time though nothing is good, and does not begin anew', async (t) => {
  const { findings, changes, pass } = gateOf(6)
  findings.fill('bad')
  t.equal(pass(PANIC_HOLD_MAX_MS), 6)
  t.equal(pass(1000), 0)
  pass(2 * PANIC_HOLD_MAX_MS)
  t.same(changes, ['begins', 'believed'])
  findings.fill('good')
  pass(1000)
  findings.fill('bad')
  t.equal(pass(1000), 6, 'the next time is another')
})

t.test('what follows in the hold is believed with the rest', async (t) => {
  const { findings, changes, pass } = gateOf(10)
  findings.fill('bad', 0, 6)
  pass(PANIC_HOLD_MAX_MS - 2000)
  findings.fill('bad', 6)
  t.equal(pass(1000), 10)
  t.equal(pass(5000), 0)
  t.same(changes, ['begins', 'believed'])
})

t.test('what says nothing either way is neither held nor counted', async (t) => {
  const { findings, pass, gate } = gateOf(8)
  findings.fill('bad', 0, 5)
  t.equal(pass(1000), 5)
  findings[0] = 'none'
  t.equal(pass(TICK_MS), 4, 'an operator takes one out')
  t.notOk(gate.hold?.held.has(0))
  pass(60_000)
  findings[0] = 'bad'
  t.equal(pass(TICK_MS), 5, 'and takes that back')
  findings.fill('none')
  t.equal(pass(TICK_MS), 0, 'or all of them')

  const drained = gateOf(8)
  drained.findings.fill('none', 0, 4)
  drained.findings.fill('bad', 4, 7)
  t.equal(drained.pass(TICK_MS), 3, 'of the four that are left')
})

const IDS = ['a', 'b', 'c', 'd', 'e', 'f']
const CAPACITY = { bandwidth: '1Gbit', connections: 1000 }
const TOPOLOGY = buildTopology(
  schedulerSettings({
    sites: [{ id: 'here' }],
    edges: IDS.map((id) => edgeEntry(id, 'here', { capacity: CAPACITY })),
  }),
)
const PLACES = uniformPlaces()

/** A fleet that is looked at every tick, and the snapshots that come of it. */
class Fleet {
  nowMs = 1_000_000
  readonly changes: FleetChange[] = []
  readonly seen = new Map<string, SeenReport>()
  reach: EdgeReach[] = IDS.map(() => REACH_UNKNOWN)
  silent = new Set<string>()
  findings: FleetFindings | undefined
  #judge = new FleetJudge(TOPOLOGY.edges)
  #snapshot = buildSnapshot(TOPOLOGY, PLACES, this.seen)

  say(id: string, over: Partial<EdgeReport> = {}, override?: EdgeOverride): void {
    const report = reportOf(id, { uptimeMs: 1e9 + this.nowMs, ...over })
    const said = { report, receivedAtMs: this.nowMs, heldAtMs: null }
    this.seen.set(id, override === undefined ? said : { ...said, override })
  }

  override(id: string, state: 'drain' | 'down'): void {
    const seen = this.seen.get(id)
    if (seen !== undefined)
      this.seen.set(id, { ...seen, override: { state, weight: 1, reason: '', setAtMs: 0 } })
  }

  pass(ms: number): this {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs += TICK_MS
      if (this.nowMs % 1000 === 0) for (const id of IDS) if (!this.silent.has(id)) this.say(id)
      const { findings, changes } = this.#judge.judge(this.seen, this.reach, this.nowMs)
      this.findings = findings
      this.changes.push(...changes)
      this.#snapshot = buildSnapshot(TOPOLOGY, PLACES, this.seen, this.#snapshot, findings)
    }
    return this
  }

  states(): string {
    const { reports, health } = this.#snapshot
    return reports.map((seen, i) => stateOf(seen, this.nowMs, health[i])).join(' ')
  }
}

t.test('a fleet that falls silent stays up, comes back without a mark, and says what it was', async (t) => {
  const fleet = new Fleet().pass(5000)
  fleet.silent = new Set(IDS.slice(1))
  fleet.pass(60_000)
  t.equal(fleet.states(), 'up up up up up up')
  t.match(fleet.findings?.holds, [{ evidence: 'reports', edges: 5 }])
  fleet.silent.clear()
  fleet.pass(1000)
  t.equal(fleet.states(), 'up up up up up up')
  t.same(fleet.changes, [
    { evidence: 'reports', change: 'begins', edges: 5 },
    { evidence: 'reports', change: 'recovered', edges: 5 },
  ])
})

t.test('operators and edges are heard while the others are held', async (t) => {
  const fleet = new Fleet().pass(5000)
  fleet.silent = new Set(IDS)
  fleet.pass(10_000)
  fleet.override('b', 'drain')
  fleet.override('c', 'down')
  fleet.say('d', { state: 'draining' })
  fleet.pass(TICK_MS)
  t.equal(fleet.states(), 'up down down draining up up', 'of one that is drained there is no other word')
})

t.test('a fleet that was drained and falls silent is no failure', async (t) => {
  const fleet = new Fleet().pass(5000)
  fleet.silent = new Set(IDS)
  for (const id of IDS) fleet.say(id, { state: 'draining' })
  fleet.pass(10_000)
  t.equal(fleet.states(), 'down down down down down down')
  t.same(fleet.changes, [])
})

t.test('silence that lasts is believed, and the way back is the usual one', async (t) => {
  const fleet = new Fleet().pass(5000)
  fleet.silent = new Set(IDS)
  fleet.pass(PANIC_HOLD_MAX_MS + 5000)
  t.equal(fleet.states(), 'down down down down down down')
  fleet.silent.clear()
  fleet.pass(1000)
  t.equal(fleet.states(), IDS.map(() => 'suspect').join(' '))
  fleet.pass(4000)
  t.equal(fleet.states(), IDS.map(() => 'up').join(' '))
})

t.test('edges that answer probes are held for as long as they do', async (t) => {
  const fleet = new Fleet()
  fleet.reach = IDS.map(() => ({ 4: 'reachable', 6: 'unknown' }))
  fleet.pass(5000)
  fleet.silent = new Set(IDS)
  fleet.pass(2 * PANIC_HOLD_MAX_MS)
  t.equal(fleet.states(), 'up up up up up up')
  fleet.reach = IDS.map((id) => ({ 4: id < 'c' ? 'unreachable' : 'reachable', 6: 'unknown' }))
  fleet.pass(1000)
  t.equal(fleet.states(), 'down down up up up up', 'nothing speaks for the first two')
  t.match(fleet.findings?.holds, [{ evidence: 'reports', edges: 4 }])
  fleet.silent.clear()
  fleet.pass(5000)
  t.equal(fleet.states(), 'up up up up up up')
  t.same(
    fleet.changes.map(({ change }) => change),
    ['begins', 'believed', 'recovered'],
  )
})

t.test('each family of addresses by itself, and what was never reached is not held', async (t) => {
  const fleet = new Fleet()
  fleet.reach = IDS.map((id) => ({ 4: 'reachable', 6: id === 'a' ? 'unreachable' : 'unknown' }))
  fleet.pass(5000)
  fleet.reach = IDS.map(() => ({ 4: 'unreachable', 6: 'unreachable' }))
  fleet.pass(5000)
  t.same(
    fleet.findings?.reach,
    IDS.map(() => ({ 4: 'reachable', 6: 'unreachable' })),
  )
  t.same(fleet.changes, [{ evidence: 'probes-ipv4', change: 'begins', edges: 6 }])
  fleet.reach = IDS.map((id) => ({ 4: id > 'd' ? 'unreachable' : 'reachable', 6: 'unknown' }))
  fleet.pass(TICK_MS)
  t.same(fleet.findings?.reach, fleet.reach, 'recovered: the rest is believed')
})
