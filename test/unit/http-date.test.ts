// HTTP dates: the three forms of RFC 9110 §5.6.7, and what is none of them.
import t from 'tap'
import { dateSource, formatHttpDate, parseHttpDate } from '../../src/http/date.ts'

const NOW = Date.UTC(2026, 6, 1)
const RFC = Date.UTC(1994, 10, 6, 8, 49, 37)

t.test('the three forms say the same', async (t) => {
  for (const text of [
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ]) {
    t.equal(parseHttpDate(text, NOW), RFC, text)
  }
  t.equal(formatHttpDate(RFC), 'Sun, 06 Nov 1994 08:49:37 GMT')
})

t.test('a two-digit year is at most 50 years ahead', async (t) => {
  for (const [year, full] of [
    ['00', 2000],
    ['26', 2026],
    ['76', 2076],
    ['77', 1977],
    ['99', 1999],
  ] as const) {
    t.equal(parseHttpDate(`Monday, 01-Jan-${year} 00:00:00 GMT`, NOW), Date.UTC(full, 0, 1), year)
  }
})

t.test('dates at the edges of the calendar', async (t) => {
  const cases: [string, number | undefined][] = [
    ['Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
    ['Thu, 29 Feb 2023 00:00:00 GMT', undefined],
    ['Thu, 31 Apr 2024 00:00:00 GMT', undefined],
    ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2017, 0, 1)],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['Wed, 31 Dec 1969 23:59:59 GMT', -1000],
    // What some frameworks write for "never".
    ['Mon, 01 Jan 0001 00:00:00 GMT', Date.parse('0001-01-01T00:00:00Z')],
    ['Fri, 31 Dec 9999 23:59:59 GMT', Date.UTC(9999, 11, 31, 23, 59, 59)],
    // The day of the week is not checked: it says nothing that the date does not.
    ['Mon, 06 Nov 1994 08:49:37 GMT', RFC],
  ]
  for (const [text, ms] of cases) t.equal(parseHttpDate(text, NOW), ms, text)
})

t.test('anything else is no date', async (t) => {
  for (const text of [
    '',
    '0',
    '-1',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 GMT ',
    'sun, 06 nov 1994 08:49:37 gmt',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    '1994-11-06T08:49:37Z',
  ]) {
    t.equal(parseHttpDate(text, NOW), undefined, JSON.stringify(text))
  }
})

t.test('the Date field changes with the second and is made once in it', async (t) => {
  let now = RFC
  const date = dateSource(() => now)
  const first = date()
  t.equal(first, 'Sun, 06 Nov 1994 08:49:37 GMT')
  now += 999
  t.equal(date(), first)
  now += 1
  t.equal(date(), 'Sun, 06 Nov 1994 08:49:38 GMT')
})
