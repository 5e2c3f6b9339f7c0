// Ids of events: later ones compare larger, number by number and not letter by letter.
import fc from 'fast-check'
import t from 'tap'
import { compareEventIds, eventIdSchema } from '../../src/wire/events.ts'

t.test('by the first number, then by the second', async (t) => {
  t.ok(compareEventIds('1700000000000-0', '1700000000001-0') < 0)
  t.ok(compareEventIds('9-0', '10-0') < 0, 'not as text')
  t.ok(compareEventIds('10-9', '10-10') < 0)
  t.ok(compareEventIds('10-1', '9-99') > 0)
  t.equal(compareEventIds('10-1', '10-1'), 0)
})

t.test('a total order of all ids there are', async () => {
  const number = fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 999_999_999_999_999 }))
  const id = fc.tuple(number, number).map(([ms, n]) => `${ms}-${n}`)
  fc.assert(
    fc.property(id, id, id, (a, b, c) => {
      const [first = '', second = '', third = ''] = [a, b, c].toSorted(compareEventIds)
      return (
        eventIdSchema.safeParse(a).success &&
        Math.sign(compareEventIds(a, b)) === -Math.sign(compareEventIds(b, a)) &&
        (compareEventIds(a, b) === 0) === (a === b) &&
        compareEventIds(first, second) <= 0 &&
        compareEventIds(second, third) <= 0 &&
        compareEventIds(first, third) <= 0
      )
    }),
  )
})

t.test('what is no id is refused', async (t) => {
  for (const text of ['', '1', '1-', '-1', '1-1-1', 'a-1', '1.5-0', '1-0 ', '1234567890123456-0']) {
    t.notOk(eventIdSchema.safeParse(text).success, text)
  }
})
