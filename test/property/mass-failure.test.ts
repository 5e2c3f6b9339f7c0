// What holds of the panic rule, whatever is found of whom: a hold is of enough members that are bad now, it ends, and
// what goes wrong by and by never begins one.
import fc from 'fast-check'
import t from 'tap'
import { MassFailureGate } from '../../scheduler/health/mass-failure.ts'
import type { Finding } from '../../scheduler/health/mass-failure.ts'
import {
  PANIC_AT_LEAST,
  PANIC_BELOW,
  PANIC_HOLD_MAX_MS,
  PANIC_LATE_MS,
  PANIC_TOGETHER_MS,
} from '../../scheduler/limits.ts'

const anyFinding = fc.constantFrom<Finding>('good', 'good', 'bad', 'none')
const anyPauseMs = fc.oneof(
  { weight: 8, arbitrary: fc.constant(250) },
  { weight: 1, arbitrary: fc.constantFrom(3000, PANIC_TOGETHER_MS + 1, PANIC_HOLD_MAX_MS + 1) },
)

/** The first so many are bad. */
function allButFirst(gone: number, members: number): Finding[] {
  return Array.from({ length: members }, (_, member) => (member < gone ? 'bad' : 'good'))
}

/** Steps in which one member or all of them turn out to be something else. */
const anyHistory = fc.integer({ min: 1, max: 12 }).chain((members) =>
  fc.record({
    members: fc.constant(members),
    steps: fc.array(
      fc.record({
        pauseMs: anyPauseMs,
        changed: fc.option(fc.nat(members - 1), { nil: null }),
        to: anyFinding,
      }),
      { maxLength: 200 },
    ),
  }),
)

t.test('a hold is of enough members, all of them bad now, and begins with more than half', async () => {
  fc.assert(
    fc.property(anyHistory, ({ members, steps }) => {
      const gate = new MassFailureGate(members)
      const findings: Finding[] = Array.from({ length: members }, () => 'none')
      let nowMs = 0
      for (const { pauseMs, changed, to } of steps) {
        nowMs += pauseMs
        if (changed === null) findings.fill(to)
        else findings[changed] = to
        const change = gate.judge(findings, nowMs)
        const held = gate.hold?.held
        if (held === undefined) continue
        if ([...held].some((member) => findings[member] !== 'bad')) return false
        if (nowMs - (gate.hold?.sinceMs ?? 0) > PANIC_HOLD_MAX_MS) return false
        if (change === 'begins' && held.size < PANIC_AT_LEAST) return false
        if (change === 'begins' && held.size <= findings.filter((finding) => finding === 'good').length)
          return false
      }
      return true
    }),
    { numRuns: 500 },
  )
})

t.test('a hold ends, though what is found after its beginning is bad for ever', async () => {
  fc.assert(
    fc.property(anyHistory, ({ members, steps }) => {
      const gate = new MassFailureGate(members)
      const findings: Finding[] = Array.from({ length: members }, () => 'good')
      let nowMs = 0
      const judge = (pauseMs: number) => {
        nowMs += pauseMs
        gate.judge(findings, nowMs)
      }
      for (const { pauseMs, changed, to } of steps) {
        if (changed === null) findings.fill(to)
        else findings[changed] = to
        judge(pauseMs)
      }
      findings.fill('bad')
      for (let i = 0; i < PANIC_HOLD_MAX_MS / 1000 + 2 + PANIC_TOGETHER_MS / 1000; i++) judge(1000)
      return gate.hold === null
    }),
    { numRuns: 100 },
  )
})

/** A fleet that is lost as a whole for long, and when each is good again, from the first on; null: it is gone. */
const anyReturn = fc.record({
  lostMs: fc.integer({ min: PANIC_TOGETHER_MS + 1000, max: PANIC_HOLD_MAX_MS - 60_000 }),
  othersMs: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 8000 }) },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
    { minLength: 2, maxLength: 30 },
  ),
  // What turns bad as soon as enough is good: so many of those that are.
  freshShare: fc.double({ min: 0, max: 0.5, noNaN: true }),
  everyMs: fc.constantFrom(20, 250),
})

t.test(
  'who comes back in time was held until then, nobody else is for longer, and nothing new is',
  async () => {
    fc.assert(
      fc.property(anyReturn, ({ lostMs, othersMs, freshShare, everyMs }) => {
        const backMs = [0, ...othersMs]
        const members = backMs.length
        const gate = new MassFailureGate(members)
        const heldNow = () => [...(gate.hold?.held ?? [])]
        const all = backMs.map((_, member) => member)
        gate.judge(allButFirst(0, members), 0)
        for (let nowMs = 250; nowMs <= lostMs; nowMs += 250) gate.judge(allButFirst(members, members), nowMs)
        let overMs: number | null = null
        let fresh = new Set<number>()
        for (let sinceMs = 0; sinceMs < 15_000; sinceMs += everyMs) {
          const isBack = (member: number) => (backMs[member] ?? Infinity) <= sinceMs
          const bad = all.filter((member) => !isBack(member) || fresh.has(member))
          gate.judge(
            all.map((member) => (bad.includes(member) ? 'bad' : 'good')),
            lostMs + sinceMs,
          )
          if (overMs === null && bad.length <= members * PANIC_BELOW) {
            overMs = sinceMs
            fresh = new Set(all.filter(isBack).slice(0, Math.floor((members - bad.length) * freshShare)))
          }
          const isOver = overMs !== null && sinceMs - overMs > PANIC_LATE_MS
          const expected = isOver ? [] : bad.filter((member) => !fresh.has(member))
          if (heldNow().join(' ') !== expected.join(' ')) return false
        }
        return true
      }),
      { numRuns: 300 },
    )
  },
)

t.test('attrition that leaves at least half within the window never begins one', async () => {
  const fleets = fc.record({
    members: fc.integer({ min: 1, max: 60 }),
    // Of those that are left, and how long after the ones before.
    losses: fc.array(
      fc.record({
        share: fc.double({ min: 0, max: 0.5, noNaN: true }),
        moreMs: fc.nat(20_000),
      }),
      { maxLength: 30 },
    ),
  })
  fc.assert(
    fc.property(fleets, ({ members, losses }) => {
      const gate = new MassFailureGate(members)
      let nowMs = 0
      let gone = 0
      const passes = (ms: number) => {
        for (const endMs = nowMs + ms; nowMs < endMs;) {
          nowMs += 250
          if (gate.judge(allButFirst(gone, members), nowMs) !== null) return false
        }
        return true
      }
      if (!passes(1000)) return false
      for (const { share, moreMs } of losses) {
        gone += Math.floor((members - gone) * share)
        // The window begins at the last look that found them good.
        if (!passes(PANIC_TOGETHER_MS + 500 + moreMs)) return false
      }
      return true
    }),
    { numRuns: 200 },
  )
})

t.test('one edge after another, however many, never begins one', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 5500, max: 60_000 }),
      (members, everyMs) => {
        const gate = new MassFailureGate(members)
        for (let nowMs = 250; nowMs < (members + 2) * everyMs; nowMs += 250) {
          const gone = Math.floor(nowMs / everyMs)
          if (gate.judge(allButFirst(gone, members), nowMs) !== null) return false
        }
        return true
      },
    ),
    { numRuns: 100 },
  )
})
