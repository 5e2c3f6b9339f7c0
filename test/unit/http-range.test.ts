// One byte range of a body of known length, and Content-Range as origins send it.
import t from 'tap'
import { parseContentRange, rangeStart, resolveRange } from '../../src/http/range.ts'

t.test('Range against a body of 1000 bytes', async (t) => {
  const cases: [string | undefined, ReturnType<typeof resolveRange>][] = [
    [undefined, 'ignore'],
    ['bytes=0-0', { start: 0, end: 1 }],
    ['bytes=0-', { start: 0, end: 1000 }],
    ['BYTES=10-19', { start: 10, end: 20 }],
    ['bytes= 10-19 ', { start: 10, end: 20 }],
    ['bytes=990-2000', { start: 990, end: 1000 }],
    ['bytes=999-', { start: 999, end: 1000 }],
    ['bytes=-1', { start: 999, end: 1000 }],
    ['bytes=-5000', { start: 0, end: 1000 }],
    ['bytes=0-9999999999999999', { start: 0, end: 1000 }],
    ['bytes=1000-', 'unsatisfiable'],
    ['bytes=9999999999999999-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-4', 'ignore'],
    ['bytes=0-1,5-6', 'ignore'],
    ['bytes=', 'ignore'],
    ['bytes=-', 'ignore'],
    ['bytes=+1-2', 'ignore'],
    ['bytes=1-2x', 'ignore'],
    ['bytes=0x1-2', 'ignore'],
    ['items=0-1', 'ignore'],
    ['bytes 0-1', 'ignore'],
    ['0-1', 'ignore'],
  ]
  for (const [field, expected] of cases) t.strictSame(resolveRange(field, 1000), expected, String(field))
})

t.test('an empty body has no range', async (t) => {
  for (const field of ['bytes=0-0', 'bytes=0-', 'bytes=-1']) t.equal(resolveRange(field, 0), 'unsatisfiable')
})

t.test('where a range starts before the length is known', async (t) => {
  t.equal(rangeStart('bytes=500-'), 500)
  t.equal(rangeStart('bytes=500-600'), 500)
  for (const field of [undefined, 'bytes=-500', 'bytes=1-2,3-4', 'junk'])
    t.equal(rangeStart(field), undefined)
})

t.test('Content-Range', async (t) => {
  const cases: [string | undefined, ReturnType<typeof parseContentRange>][] = [
    ['bytes 0-99/1000', { start: 0, end: 100, total: 1000 }],
    ['Bytes 999-999/1000', { start: 999, end: 1000, total: 1000 }],
    ['bytes 0-99/*', { start: 0, end: 100, total: null }],
    ['bytes */1000', undefined],
    ['bytes 0-1000/1000', undefined],
    ['bytes 5-4/1000', undefined],
    ['bytes=0-99/1000', undefined],
    ['bytes 0-99/1000 ', undefined],
    ['bytes -1-99/1000', undefined],
    ['', undefined],
    [undefined, undefined],
  ]
  for (const [text, expected] of cases) t.strictSame(parseContentRange(text), expected, String(text))
})
