// The panic rule for each kind of evidence by itself, from the registry to the snapshot that decisions read.
import t from 'tap'
import { FleetJudge } from '../../scheduler/health/fleet.ts'
import type { FleetChange, FleetFindings } from '../../scheduler/health/fleet.ts'
import { stateOf } from '../../scheduler/health/liveness.ts'
import { rampUpOf } from '../../scheduler/health/ramp-up.ts'
import { REACH_UNKNOWN } from '../../scheduler/health/reachability.ts'
import type { EdgeReach } from '../../scheduler/health/reachability.ts'
import { PANIC_HOLD_MAX_MS, PANIC_LATE_MS } from '../../scheduler/limits.ts'
import { seenByPlace } from '../../scheduler/registry/registry.ts'
import type { SeenReport } from '../../scheduler/registry/registry.ts'
import { buildSnapshot } from '../../scheduler/snapshot.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import type { EdgeOverride } from '../../src/wire/override.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { edgeEntry, reportOf, schedulerSettings } from '../kit/scheduler.ts'
import { uniformPlaces } from '../kit/made-places.ts'

const TICK_MS = 250

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
      const { findings, changes } = this.#judge.judge(
        seenByPlace(TOPOLOGY.edges, this.seen),
        this.reach,
        this.nowMs,
      )
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

  /** The share of its clients that each has, of those it would have. */
  ramps(): number[] {
    const { reports, health } = this.#snapshot
    return reports.map((seen, i) => (seen === undefined ? 0 : rampUpOf(seen, health[i], this.nowMs)))
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

t.test('an edge that is heard seconds after the others has no mark either, one that died has', async (t) => {
  const fleet = new Fleet().pass(5000)
  fleet.silent = new Set(IDS)
  fleet.pass(60_000)
  for (const back of ['a b c d', 'a b c d', 'a b c d e']) {
    fleet.silent = new Set(IDS.filter((id) => !back.includes(id)))
    fleet.pass(1000)
    t.equal(fleet.states(), 'up up up up up up', back)
  }
  t.same(
    fleet.ramps(),
    IDS.map(() => 1),
  )
  fleet.pass(PANIC_LATE_MS - 2000 + TICK_MS)
  t.equal(fleet.states(), 'up up up up up down', 'the last has had its time')
  fleet.silent.clear()
  fleet.pass(1000)
  t.equal(fleet.states(), 'up up up up up suspect')
  t.match(fleet.changes, [{ change: 'begins' }, { change: 'recovered', edges: 1 }])
})

t.test('a third that really dies while all are held is gone soon after the others are back', async (t) => {
  const fleet = new Fleet().pass(5000)
  fleet.silent = new Set(IDS)
  fleet.pass(60_000)
  fleet.silent = new Set(['e', 'f'])
  fleet.pass(1000 + PANIC_LATE_MS + TICK_MS)
  t.equal(fleet.states(), 'up up up up down down')
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
  fleet.pass(PANIC_LATE_MS + 2 * TICK_MS)
  t.same(fleet.findings?.reach, fleet.reach, 'recovered: the rest is believed')
})
