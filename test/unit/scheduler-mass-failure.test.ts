// The panic rule: what begins a hold, who is in it, how it is over, and who is waited for then.
import t from 'tap'
import { MassFailureGate } from '../../scheduler/health/mass-failure.ts'
import type { Finding } from '../../scheduler/health/mass-failure.ts'
import { PANIC_HOLD_MAX_MS, PANIC_LATE_MS } from '../../scheduler/limits.ts'

const TICK_MS = 250

/** A gate that is asked every tick; members are good until they are said to be something else. */
function gateOf(members: number) {
  const findings: Finding[] = Array.from({ length: members }, () => 'good')
  let gate = new MassFailureGate(members)
  const changes: string[] = []
  let nowMs = 0
  const pass = (ms: number) => {
    for (const endMs = nowMs + ms; nowMs < endMs;) {
      nowMs += TICK_MS
      const change = gate.judge(findings, nowMs)
      if (change !== null) changes.push(change)
    }
    return gate.hold?.held.size ?? 0
  }
  /** Leaves out the first so many. */
  const leaveOut = (count: number) => {
    findings.splice(0, count)
    gate = gate.movedTo(findings.map((_, member) => member + count))
  }
  const held = () => [...(gate.hold?.held ?? [])]
  pass(1000)
  return { findings, changes, pass, held, leaveOut }
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
  const { findings, pass, held } = gateOf(12)
  findings.fill('bad', 0, 4)
  pass(11_000)
  findings.fill('bad', 4, 8)
  t.equal(pass(1000), 0, 'half of what was left')
  findings[8] = 'bad'
  t.equal(pass(1000), 5)
  t.same(held(), [4, 5, 6, 7, 8])
})

t.test('it is over when enough is good again, and the rest is believed a little later', async (t) => {
  const { findings, changes, pass } = gateOf(10)
  findings.fill('bad')
  pass(20_000)
  findings.fill('good', 0, 5)
  t.equal(pass(1000), 5, 'half of it is still bad')
  findings[5] = 'good'
  t.equal(pass(TICK_MS + PANIC_LATE_MS), 4, 'they may be late')
  t.same(changes, ['begins'])
  t.equal(pass(TICK_MS), 0)
  t.equal(pass(20_000), 0)
  t.same(changes, ['begins', 'recovered'])
})

t.test('who comes back after the others is held until then', async (t) => {
  const { findings, changes, pass, held } = gateOf(10)
  findings.fill('bad')
  pass(20_000)
  findings.fill('good', 0, 6)
  pass(1000)
  t.same(held(), [6, 7, 8, 9])
  findings.fill('good', 6, 9)
  pass(1500)
  t.same(held(), [9])
  findings[9] = 'good'
  t.equal(pass(TICK_MS), 0, 'and nobody is waited for any longer')
  t.same(changes, ['begins', 'recovered'])
})

/** Ten, of whom all were bad for long, and six are good again. */
function withFourLate() {
  const made = gateOf(10)
  made.findings.fill('bad')
  made.pass(20_000)
  made.findings.fill('good', 0, 6)
  made.pass(TICK_MS)
  return made
}

t.test('what turns bad while the last are waited for is believed at once', async (t) => {
  const { findings, changes, pass, held } = withFourLate()
  findings.fill('bad', 0, 2)
  pass(TICK_MS)
  t.same(held(), [6, 7, 8, 9])
  findings[6] = 'good'
  pass(TICK_MS)
  findings[6] = 'bad'
  pass(TICK_MS)
  t.same(held(), [7, 8, 9], 'nor is one held that was back')
  pass(PANIC_LATE_MS)
  t.same(held(), [])
  t.same(changes, ['begins', 'recovered'])
})

t.test(
  'when most turn bad again while the last are waited for, it goes on, and no longer than one',
  async (t) => {
    const { findings, changes, pass, held } = withFourLate()
    pass(2000)
    findings.fill('bad', 0, 4)
    pass(TICK_MS)
    t.same(held(), [0, 1, 2, 3, 6, 7, 8, 9])
    t.equal(pass(60_000), 8, 'the late ones too')
    t.same(changes, ['begins'])
    t.equal(pass(PANIC_HOLD_MAX_MS - 83_000), 8)
    t.equal(pass(2000), 0)
    t.same(changes, ['begins', 'believed'])
  },
)

t.test('who says that it goes is not waited for', async (t) => {
  const { findings, changes, pass, held } = withFourLate()
  findings.fill('none', 6, 8)
  pass(TICK_MS)
  t.same(held(), [8, 9])
  findings.fill('none', 8)
  pass(TICK_MS)
  t.same(changes, ['begins', 'recovered'])
})

t.test('nor is one that is left out of the configuration', async (t) => {
  const { changes, pass, held, leaveOut } = withFourLate()
  leaveOut(7)
  pass(1000)
  t.same(held(), [0, 1, 2], 'at their places of now')
  leaveOut(3)
  pass(TICK_MS)
  t.same(changes, ['begins', 'recovered'])

  const waiting = withFourLate()
  waiting.leaveOut(6)
  waiting.pass(PANIC_LATE_MS - TICK_MS)
  t.equal(waiting.held().length, 4, 'those that are left have the time that they had')
  waiting.pass(2 * TICK_MS)
  t.same(waiting.held(), [])
})

t.test('while the clock stands still, nobody is late', async (t) => {
  const gate = new MassFailureGate(5)
  const judge = (text: string, nowMs: number) => {
    const change = gate.judge(
      text.split('').map((letter) => (letter === '+' ? 'good' : 'bad')),
      nowMs,
    )
    return [change, ...(gate.hold?.held ?? [])]
  }
  judge('+++++', 0)
  t.same(judge('-----', 250), ['begins', 0, 1, 2, 3, 4])
  judge('+++--', 8000)
  for (let i = 0; i < 100; i++) judge('+++--', 8000)
  t.same(judge('+++--', 8000), [null, 3, 4])
  t.same(judge('++++-', 8000), [null, 4])
  t.same(judge('+++++', 8000), ['recovered'])
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
  const { findings, pass, held } = gateOf(8)
  findings.fill('bad', 0, 5)
  t.equal(pass(1000), 5)
  findings[0] = 'none'
  t.equal(pass(TICK_MS), 4, 'an operator takes one out')
  t.notOk(held().includes(0))
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
