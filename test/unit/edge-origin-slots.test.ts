// Places at one origin: a kind that is full does not fill another, and who waits gets one in turn, or is told.
import { mock } from 'node:test'
import t from 'tap'
import { ORIGIN_WAITING_MAX, ORIGIN_WAIT_MS } from '../../edge/limits.ts'
import { OriginSlots, SLOTS_MAX } from '../../edge/upstream/origin-slots.ts'
import type { Slot, SlotKind } from '../../edge/upstream/origin-slots.ts'

/** Places of the kind that is configured. */
const FILLING = 64

/** What was said to each who asked, in order: a slot, or null. */
function ask(slots: OriginSlots, kind: SlotKind, count: number): (Slot | null)[] {
  const said: (Slot | null)[] = []
  for (let i = 0; i < count; i++) slots.take(kind, (slot) => said.push(slot))
  return said
}

t.test('each kind has its own places, and a slot moves where there is one', async (t) => {
  const slots = new OriginSlots(FILLING)
  const passing = ask(slots, 'passing', SLOTS_MAX.passing)
  t.equal(passing.length, SLOTS_MAX.passing)
  const [fill] = ask(slots, 'filling', 1)
  t.equal(fill?.move('passing'), false, 'as many pass as may')
  t.equal(fill?.move('parked'), true)
  t.equal(ask(slots, 'filling', FILLING).length, FILLING, 'the parked one is none of them')
  t.equal(fill?.move('filling'), false, 'all places for fills are taken')
  passing[0]?.release()
  t.equal(fill?.move('passing'), true)
})

t.test('a slot is given back once, however often', async (t) => {
  const slots = new OriginSlots(FILLING)
  const first = ask(slots, 'filling', FILLING)
  const waiting = ask(slots, 'filling', 3)
  t.equal(waiting.length, 0)
  first[0]?.release()
  first[0]?.release()
  t.equal(waiting.length, 1)
  t.equal(first[0]?.move('passing'), true, 'and counts as nothing after')
  t.equal(waiting.length, 1)
  first[1]?.move('parked')
  t.equal(waiting.length, 2, 'moving frees a place too')
})

t.test('who waits is served in turn, waits so long, and only so many do', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const slots = new OriginSlots(FILLING)
  const [first] = ask(slots, 'filling', FILLING)
  const order: string[] = []
  slots.take('filling', (slot) => order.push(`first ${slot !== null}`))
  mock.timers.tick(ORIGIN_WAIT_MS - 1)
  slots.take('filling', (slot) => order.push(`second ${slot !== null}`))
  mock.timers.tick(1)
  t.strictSame(order, ['first false'])
  first?.release()
  t.strictSame(order, ['first false', 'second true'])
  const waiting = ask(slots, 'filling', ORIGIN_WAITING_MAX)
  t.equal(waiting.length, 0)
  t.strictSame(ask(slots, 'filling', 1), [null], 'one too many is told at once')
  mock.timers.tick(ORIGIN_WAIT_MS)
  t.equal(waiting.length, ORIGIN_WAITING_MAX)
  t.ok(waiting.every((slot) => slot === null))
})
