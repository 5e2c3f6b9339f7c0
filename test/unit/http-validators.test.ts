// Entity tags and the conditions on them (RFC 9110 §8.8, §13).
import t from 'tap'
import { ifRangeHolds, isNotModified, isStrong, matchesNoneOf, parseEtag } from '../../src/http/validators.ts'

const NOW = Date.UTC(2026, 6, 1)
const MODIFIED = 'Mon, 05 Jan 2026 10:00:00 GMT'

t.test('entity tags', async (t) => {
  for (const tag of ['"a"', 'W/"a"', '""', '"\xe9!#~"']) t.equal(parseEtag(tag), tag)
  for (const text of [undefined, '', 'a', '"a', 'w/"a"', '"a" ', '"a b"', '"a"b"', 'W/a']) {
    t.equal(parseEtag(text), undefined, String(text))
  }
  t.equal(isStrong('"a"'), true)
  t.equal(isStrong('W/"a"'), false)
})

t.test('If-None-Match compares weakly', async (t) => {
  const cases: [string, string | undefined, boolean][] = [
    ['"a"', '"a"', false],
    ['W/"a"', '"a"', false],
    ['"a"', 'W/"a"', false],
    ['"x", W/"a" , "y"', '"a"', false],
    ['"a,b"', '"a,b"', false],
    ['"a,b"', '"a"', true],
    ['"A"', '"a"', true],
    ['*', '"a"', false],
    [' * ', undefined, false],
    ['"a"', undefined, true],
    ['a', '"a"', true],
    ['', '"a"', true],
  ]
  for (const [field, etag, none] of cases) t.equal(matchesNoneOf(field, etag), none, `${field} and ${etag}`)
})

t.test('304 or not', async (t) => {
  const both = { etag: '"a"', lastModified: MODIFIED }
  const cases: [string | undefined, string | undefined, typeof both, boolean][] = [
    ['"a"', undefined, both, true],
    ['"b"', undefined, both, false],
    // If-None-Match alone decides (§13.2.2).
    ['"b"', MODIFIED, both, false],
    ['"a"', 'Sun, 04 Jan 2026 10:00:00 GMT', both, true],
    [undefined, MODIFIED, both, true],
    [undefined, 'Mon, 05 Jan 2026 10:00:01 GMT', both, true],
    [undefined, 'Mon, 05 Jan 2026 09:59:59 GMT', both, false],
    [undefined, 'Monday, 05-Jan-26 10:00:00 GMT', both, true],
    [undefined, 'soon', both, false],
    [undefined, MODIFIED, { etag: '"a"', lastModified: 'soon' }, false],
    [undefined, undefined, both, false],
  ]
  for (const [none, since, validators, expected] of cases) {
    t.equal(isNotModified(none, since, validators, NOW), expected, `${none} ${since}`)
  }
  t.equal(isNotModified(undefined, MODIFIED, { etag: '"a"', lastModified: undefined }, NOW), false)
})

t.test('If-Range compares strongly', async (t) => {
  const cases: [string | undefined, string | undefined, boolean][] = [
    [undefined, undefined, true],
    ['"a"', '"a"', true],
    ['"a"', '"b"', false],
    ['W/"a"', 'W/"a"', false],
    ['W/"a"', '"a"', false],
    ['"a"', 'W/"a"', false],
    ['"a"', undefined, false],
    [MODIFIED, '"a"', true],
    ['Mon, 05 Jan 2026 10:00:01 GMT', '"a"', false],
    ['a', '"a"', false],
  ]
  for (const [field, etag, expected] of cases) {
    t.equal(ifRangeHolds(field, { etag, lastModified: MODIFIED }), expected, `${field} and ${etag}`)
  }
  t.equal(ifRangeHolds(MODIFIED, { etag: '"a"', lastModified: undefined }), false)
})
