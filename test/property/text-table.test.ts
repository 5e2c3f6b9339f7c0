// The table of values by text finds what a Map of the same entries finds, for texts that share hashes too.
import fc from 'fast-check'
import t from 'tap'
import { TextTable } from '../../src/text-table.ts'

// Few characters: many of them are equal, or differ in one.
const text = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 4 }), fc.string())

t.test('as a Map in which the first of equal texts stands', async () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, fc.nat())), fc.array(text), (entries, asked) => {
      const table = new TextTable(entries)
      const map = new Map(entries.toReversed())
      return [...entries.map(([known]) => known), ...asked].every((one) => table.get(one) === map.get(one))
    }),
  )
})
