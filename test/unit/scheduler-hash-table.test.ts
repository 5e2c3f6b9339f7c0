// The table of 64-bit hashes beside a Map, and what becomes of hashes that were made to meet.
import fc from 'fast-check'
import t from 'tap'
import { HashTable } from '../../scheduler/choose/hash-table.ts'

const word = fc.oneof(fc.integer({ min: -4, max: 4 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
const steps = fc.array(fc.tuple(word, word, fc.boolean()), { maxLength: 300 })

t.test('finds what a Map would, however many there are, and forgets what is not kept', async () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const table = new HashTable<number>()
      const map = new Map<string, number>()
      for (const [i, [hi, lo, isSwept]] of taken.entries()) {
        if (isSwept && i % 20 === 0) {
          table.keepOnly((value) => value % 2 === 0)
          for (const [key, value] of map) if (value % 2 !== 0) map.delete(key)
        }
        const key = `${hi} ${lo}`
        if (table.get(hi, lo) !== map.get(key)) return false
        if (map.has(key)) continue
        // Words so small meet more often than hashes do; still 81 of them never fill a search.
        if (table.add(hi, lo, i)) map.set(key, i)
        else if (table.size < 64) return false
      }
      return (
        table.size === map.size && taken.every(([hi, lo]) => table.get(hi, lo) === map.get(`${hi} ${lo}`))
      )
    }),
  )
})

t.test('hashes that were made to meet end a search, and are not taken beyond that', async (t) => {
  const table = new HashTable<number>()
  let taken = 0
  for (let i = 0; i < 1000; i++) if (table.add(i << 16, (i << 16) ^ 7, i)) taken += 1
  t.equal(taken, 64)
  t.equal(table.get(63 << 16, (63 << 16) ^ 7), 63)
  t.equal(table.get(64 << 16, (64 << 16) ^ 7), undefined)
  t.ok(table.add(1, 2, 1000), 'others are')
})
