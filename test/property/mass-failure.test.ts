// What holds of the panic rule, whatever is found of whom: a hold is of enough members that are bad now, it ends, and
// what goes wrong by and by never begins one.
import fc from 'fast-check'
import t from 'tap'
import { MassFailureGate } from '../../scheduler/health/mass-failure.ts'
import type { Finding } from '../../scheduler/health/mass-failure.ts'
import { PANIC_AT_LEAST, PANIC_HOLD_MAX_MS, PANIC_TOGETHER_MS } from '../../scheduler/limits.ts'

const anyFinding = fc.constantFrom<Finding>('good', 'good', 'bad', 'none')
const anyPauseMs = fc.oneof(
  { weight: 8, arbitrary: fc.constant(250) },
  { weight: 1, arbitrary: fc.constantFrom(3000, PANIC_TOGETHER_MS + 1, PANIC_HOLD_MAX_MS + 1) },
)

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
        const change = gate.judge((member) => findings[member] ?? 'none', nowMs)
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
        gate.judge((member) => findings[member] ?? 'none', nowMs)
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
          if (gate.judge((member) => (member < gone ? 'bad' : 'good'), nowMs) !== null) return false
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
          if (gate.judge((member) => (member < gone ? 'bad' : 'good'), nowMs) !== null) return false
        }
        return true
      },
    ),
    { numRuns: 100 },
  )
})
