// The one language that stands out in a list, and none where none does.
import t from 'tap'
import { onlyLanguage, preferredLanguage } from '../../src/http/accept-language.ts'

t.test('the one liked best', async (t) => {
  for (const [field, expected] of [
    [undefined, undefined],
    ['', undefined],
    ['de', 'de'],
    ['DE-at', 'de-at'],
    ['fr;q=0.5, de;q=1.0', 'de'],
    ['de, en;q=0.9, *;q=0.1', 'de'],
    ['en-US,en;q=0.5', 'en-us'],
    ['fr;q=0.8, de;q=0.9, en;q=0.9', undefined],
    ['fr;q=0.8, de;q=0.9, en;q=0.85', 'de'],
    ['fr;q=0.9, en;q=0.9, de', 'de'],
    ['en, de', undefined],
    ['*', undefined],
    ['*, de', undefined],
    ['de;q=0', undefined],
    ['de;q=2', undefined],
    ['de;q=0.1234', undefined],
    ['de; q = 0.5', 'de'],
    ['d€', undefined],
    ['de;level=1', undefined],
    [Array.from({ length: 33 }, (_, i) => `de;q=0.${i}`).join(','), undefined],
  ] as const) {
    t.equal(preferredLanguage(field), expected, field ?? 'none')
  }
})

t.test('of several languages, none is the only one', async (t) => {
  t.strictSame(
    [undefined, 'de', ' De-AT ', 'de, en', '', '*', 'de;q=1'].map((field) => onlyLanguage(field)),
    [undefined, 'de', 'de-at', undefined, undefined, undefined, undefined],
  )
})
