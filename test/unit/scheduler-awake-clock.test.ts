// The scheduler's clock: it follows the real one while the process runs, and skips the time in which it did not.
import t from 'tap'
import { AwakeClock } from '../../scheduler/health/awake-clock.ts'
import { StillClock } from '../kit/scheduler.ts'

function clocks(t: { teardown(end: () => void): void }) {
  const real = new StillClock()
  const awake = new AwakeClock(real)
  t.teardown(() => awake.close())
  const startMs = awake.monotonic()
  return { real, awake, passedMs: () => awake.monotonic() - startMs }
}

t.test('time that is looked at passes as it does', async (t) => {
  const { real, passedMs } = clocks(t)
  for (let i = 1; i <= 100; i++) {
    real.pass(250)
    if (passedMs() !== i * 250) t.fail(`${passedMs()} after ${i * 250}`)
  }
  real.pass(500)
  t.equal(passedMs(), 25_500)
})

t.test('of a standstill half a second passes, however long it was; then time goes on', async (t) => {
  const { real, awake, passedMs } = clocks(t)
  for (const ms of [501, 8000, 3_600_000]) {
    real.pass(ms)
    passedMs()
  }
  t.equal(passedMs(), 1500)
  real.pass(300)
  t.equal(passedMs(), 1800)
  real.pass(-50)
  t.equal(passedMs(), 1750, 'never more than what the clock below says')
  t.equal(awake.now(), real.now(), 'dates are those of the machine')
})
