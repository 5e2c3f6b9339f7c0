// What a start leaves behind is given back: by a function of V8 that a later Node may name otherwise.
import t from 'tap'
import { returnGarbage } from '../../src/small-heap.ts'

const MB = 2 ** 20

t.test('what is no longer in use goes back to the system, not only to the pool of the heap', async (t) => {
  const held = makeGarbage()
  const before = process.memoryUsage.rss()
  held.length = 0
  returnGarbage()
  const returned = before - process.memoryUsage.rss()
  t.ok(returned > 60 * MB, `${Math.round(returned / MB)} MB`)
})

/** Well over 100 MB of small objects. */
function makeGarbage(): object[] {
  return Array.from({ length: 1_500_000 }, (_, i) => ({ i, text: `${i}`, next: i + 0.5 }))
}
