// Lifetime and age of a response (RFC 9111 §4.2).
import t from 'tap'
import { ageOf, initialAgeOf, isFresh, lifetimeOf, staleAllowanceOf } from '../../edge/cache/freshness.ts'
import type { LifetimeRule } from '../../edge/cache/freshness.ts'
import { parseCacheControl } from '../../src/http/cache-control.ts'
import { formatHttpDate } from '../../src/http/date.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import { objectMeta } from '../kit/edge-parts.ts'

const NOW = Date.UTC(2026, 6, 1, 12)
const NO_RULE = { overrideMs: undefined, defaultMs: 7000, staleIfErrorMs: 0 }
const date = (ms: number) => formatHttpDate(NOW + ms)
const modified = (ms: number) => ['Last-Modified', date(-ms), 'Date', date(0)]

function lifetime(pairs: string[], rule: LifetimeRule = NO_RULE, status = 200) {
  const fields = new FieldBlock(pairs)
  return lifetimeOf(status, fields, parseCacheControl(fields.list('cache-control')), rule, NOW)
}

t.test('lifetime: rule, s-maxage, max-age, Expires, default', async (t) => {
  const cases: [string[], number][] = [
    [['Cache-Control', 's-maxage=5, max-age=60', 'Expires', date(9000)], 5000],
    [['Cache-Control', 'max-age=60', 'Expires', date(9000)], 60_000],
    [['Expires', date(9000), 'Date', date(1000)], 8000],
    [['Expires', date(9000), 'Date', 'nonsense'], 9000],
    [['Expires', date(9000)], 9000],
    [['Expires', date(-1000)], 0],
    [['Expires', '0'], 0],
    [['Expires', 'Mon, 01 Jan 0001 00:00:00 GMT'], 0],
    [['Cache-Control', 'no-cache, max-age=60'], 0],
    [['Cache-Control', 'max-age=junk', 'Expires', date(9000)], 0],
    [['Cache-Control', 'public'], 7000],
    [[], 7000],
  ]
  for (const [pairs, ms] of cases) t.equal(lifetime(pairs), ms, pairs.join(' '))
})

t.test('a rule overrides what the origin says of a body, not of an error', async (t) => {
  const rule = { ...NO_RULE, overrideMs: 3000 }
  t.equal(lifetime(['Cache-Control', 'max-age=60'], rule), 3000)
  t.equal(lifetime(['Cache-Control', 'no-cache'], rule), 0)
  t.equal(lifetime(['Cache-Control', 'max-age=60'], rule, 404), 60_000)
  t.equal(lifetime([], rule, 404), 1000, 'errors are remembered for a moment')
  t.equal(lifetime([], rule, 500), 0)
})

t.test('where nothing is said: a tenth of the time since it changed, at most a day', async (t) => {
  const silent = { ...NO_RULE, defaultMs: 0 }
  t.equal(lifetime(modified(1_000_000), silent), 100_000)
  t.equal(lifetime(modified(100 * 86_400_000), silent), 86_400_000)
  t.equal(lifetime(modified(-5000), silent), 0, 'changed in the future')
  t.equal(lifetime(['Last-Modified', 'soon'], silent), 0)
  t.equal(lifetime(modified(1_000_000)), 7000, 'a default of the property goes before')
  t.equal(lifetime(modified(1_000_000), silent, 403), 0)
})

t.test('how long past its lifetime', async (t) => {
  const rule = { ...NO_RULE, staleIfErrorMs: 60_000 }
  const allowance = (text: string) => staleAllowanceOf(parseCacheControl(text), rule)
  t.match(allowance('max-age=1'), { staleWhileRevalidateMs: 0, staleIfErrorMs: 60_000 })
  t.match(allowance('stale-while-revalidate=5, stale-if-error=0'), {
    staleWhileRevalidateMs: 5000,
    staleIfErrorMs: 0,
  })
  for (const text of ['must-revalidate', 'proxy-revalidate', 'no-cache']) {
    const said = allowance(`${text}, stale-while-revalidate=5, stale-if-error=5`)
    t.match(said, { staleWhileRevalidateMs: 0, staleIfErrorMs: 0 }, text)
  }
  t.match(allowance('s-maxage=1'), { staleIfErrorMs: 0 })
})

t.test('age on arrival: the larger of what Age and what Date say', async (t) => {
  const age = (pairs: string[], requestMs = NOW - 200) => initialAgeOf(new FieldBlock(pairs), requestMs, NOW)
  t.equal(age([]), 200, 'the time the answer took')
  t.equal(age(['Age', '100']), 100_200)
  t.equal(age(['Age', '100', 'Date', date(-500_000)]), 500_000)
  const soon = NOW + 999
  t.equal(initialAgeOf(new FieldBlock(['Date', date(0)]), soon, soon), 0, 'below a second Date says nothing')
  t.equal(age(['Date', date(60_000)], NOW), 0, 'a clock ahead of ours')
  for (const text of ['', '-1', '1.5', 'x', '1, 1', '99999999999999999999']) {
    t.ok(age(['Age', text]) >= 2 ** 31 * 1000, `${text}: old, never new`)
  }
  t.ok(age(['Age', '0', 'Age', '5']) >= 2 ** 31 * 1000, 'two of them')
})

t.test('an object ages from when it came, and a clock set back does not make it younger', async (t) => {
  const meta = objectMeta({ receivedMs: NOW, initialAgeMs: 2000, lifetimeMs: 10_000 })
  t.equal(ageOf(meta, NOW + 3000), 5000)
  t.equal(ageOf(meta, NOW - 3000), 2000)
  t.equal(isFresh(meta, NOW + 7999), true)
  t.equal(isFresh(meta, NOW + 8000), false)
})
