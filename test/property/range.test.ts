// Ranges: whatever a client writes, what is answered lies in the body and is what RFC 9110 §14 selects.
import fc from 'fast-check'
import t from 'tap'
import { parseContentRange, rangeStart, resolveRange } from '../../src/http/range.ts'

const length = fc.oneof(fc.nat(20), fc.nat(2 ** 20), fc.maxSafeNat())
const offset = fc.oneof(fc.nat(30), fc.nat(2 ** 21), fc.maxSafeNat())

/** By the words of the RFC, one byte at a time. */
function isSelected(at: number, first: number | null, last: number | null, total: number): boolean {
  if (first === null) return at >= total - (last ?? 0)
  return at >= first && (last === null || at <= last)
}

t.test('a range selects the bytes that it names, of those there are', async (t) => {
  const small = fc.nat(12)
  const ends = fc
    .tuple(fc.option(small), fc.option(small))
    .filter(([first, last]) => first !== null || last !== null)
  fc.assert(
    fc.property(ends, fc.nat(10), ([first, last], total) => {
      const outcome = resolveRange(`bytes=${first ?? ''}-${last ?? ''}`, total)
      const selected = Array.from({ length: total }, (_, at) => at).filter((at) =>
        isSelected(at, first, last, total),
      )
      if (first !== null && last !== null && last < first) return outcome === 'ignore'
      if (selected.length === 0) return outcome === 'unsatisfiable'
      return (
        typeof outcome === 'object' && outcome.start === selected[0] && outcome.end - 1 === selected.at(-1)
      )
    }),
    { numRuns: 2000 },
  )
  t.pass('selects')
})

t.test('any text: never a byte outside the body, never an empty part', async (t) => {
  const near = fc
    .tuple(offset, fc.constantFrom('-', '', ' - ', '--', ','), offset)
    .map(([first, dash, last]) => `bytes=${first}${dash}${last}`)
  const text = fc.oneof(
    near,
    fc.string(),
    fc.string().map((rest) => `bytes=${rest}`),
  )
  fc.assert(
    fc.property(text, length, (field, total) => {
      const outcome = resolveRange(field, total)
      if (typeof outcome === 'string') return true
      const inside = outcome.start >= 0 && outcome.start < outcome.end && outcome.end <= total
      // What is fetched first, before the length is known, is where the answer starts.
      const start = rangeStart(field)
      return inside && (start === undefined || start === outcome.start)
    }),
    { numRuns: 3000 },
  )
  t.pass('inside')
})

t.test('what this edge says of a part, it reads back', async (t) => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 2 ** 40 }), fc.nat(), (start, count, rest) => {
      const end = start + count
      const read = parseContentRange(`bytes ${start}-${end - 1}/${end + rest}`)
      return read?.start === start && read.end === end && read.total === end + rest
    }),
  )
  t.pass('same')
})
