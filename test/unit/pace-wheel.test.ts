// The wheel that all paced replies and sessions wait on, its clock held by the test; and that it does run by itself.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { OFF_WHEEL, TimerWheel } from '../../edge/limits/timer-wheel.ts'
import type { Timed } from '../../edge/limits/timer-wheel.ts'

interface Entry extends Timed {
  name: string
}

function entry(name: string): Entry {
  return { name, dueMs: 0, slot: OFF_WHEEL }
}

function heldWheel(onDue: (entry: Entry, nowMs: number) => void): {
  wheel: TimerWheel<Entry>
  at: (nowMs: number) => void
} {
  let now = 1000
  const clock = { now: () => now, monotonic: () => now }
  const wheel = new TimerWheel<Entry>(clock, { tickMs: 5, slots: 16 }, onDue)
  return {
    wheel,
    at(nowMs) {
      now = nowMs
      wheel.runDue()
    },
  }
}

t.test('never early, at most a tick late, however far away', async (t) => {
  const fired: string[] = []
  const { wheel, at } = heldWheel((due) => fired.push(due.name))
  // The ring is 80 ms long.
  const dues = [1001, 1004.5, 1005, 1006, 1079, 1080, 1081, 1500, 3333]
  for (const dueMs of dues) wheel.schedule(entry(String(dueMs)), dueMs)
  const expected = new Set<string>()
  for (let now = 1000; now < 3400; now++) {
    at(now)
    for (const due of dues) if (due + 5 <= now) expected.add(String(due))
    const early = fired.filter((name) => Number(name) > now)
    const late = [...expected].filter((name) => !fired.includes(name))
    if (early.length + late.length > 0) t.fail(`at ${now}: early ${early.join()}, late ${late.join()}`)
  }
  t.strictSame(fired, dues.map(String))
  t.equal(wheel.size, 0)
})

t.test('moved, cancelled, and put back while it is due', async (t) => {
  const fired: string[] = []
  const [first, second, third] = [entry('first'), entry('second'), entry('third')]
  const { wheel, at } = heldWheel((due, nowMs) => {
    fired.push(due.name)
    // Of the same slot: one that hears nothing, and one that comes later.
    wheel.cancel(second)
    wheel.schedule(third, nowMs + 20)
  })
  wheel.schedule(first, 1500)
  for (const each of [first, second, third]) wheel.schedule(each, 1010)
  t.equal(wheel.size, 3)
  at(1010)
  t.strictSame(fired, ['first'])
  t.equal(wheel.size, 1)
  at(1029)
  t.equal(fired.length, 1)
  at(1030)
  t.strictSame(fired, ['first', 'third'])
})

t.test('after a sleep of many rounds each is met once', async (t) => {
  const fired: string[] = []
  const { wheel, at } = heldWheel((due) => fired.push(due.name))
  for (let i = 0; i < 40; i++) wheel.schedule(entry(String(i)), 1000 + i * 7)
  at(9_999_999)
  t.equal(new Set(fired).size, 40)
  t.equal(fired.length, 40)
  wheel.schedule(entry('later'), 9_999_999 + 30)
  at(10_000_030)
  t.equal(fired.at(-1), 'later')
})

t.test('on the real clock: one timer for all, none when nothing waits', { timeout: 10_000 }, async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const late: number[] = []
  const wheel = new TimerWheel<Entry>(systemClock, { tickMs: 5, slots: 16 }, (due, nowMs) => {
    late.push(nowMs - due.dueMs)
    if (late.length === 50) resolve()
  })
  const now = systemClock.monotonic()
  // A timer of the wheel does not keep a process alive by itself.
  const alive = setInterval(() => {}, 1000)
  for (let i = 0; i < 50; i++) wheel.schedule(entry(String(i)), now + 200 - i * 4)
  await promise
  clearInterval(alive)
  t.ok(Math.min(...late) >= 0, 'none early')
  wheel.schedule(entry('closed'), systemClock.monotonic() + 5)
  wheel.close()
  t.equal(wheel.size, 0)
})
