// Rules of purges: whatever was applied, an object is valid only if nothing that names it is newer, however many there
// were, and also after the rules were written down and read again.
import fc from 'fast-check'
import t from 'tap'
import { keyOf } from '../../edge/property/cache-key.ts'
import { PurgeRules } from '../../edge/purge/purge-rules.ts'
import type { CountedPurge } from '../../edge/purge/purge-rules.ts'
import type { PurgeVerdict } from '../../edge/purge/purge-marks.ts'
import { compilePathPattern } from '../../src/path-pattern.ts'
import type { Purge } from '../../src/wire/events.ts'

const cacheKey = (property: string, url: string) => keyOf(property, url)?.key ?? null

const paths = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'x.ts', 'm.m3u8'), { minLength: 1, maxLength: 3 })
  .map((names) => `/${names.join('/')}`)
const property = fc.constantFrom('shows', 'movies')
const tag = fc.constantFrom('one', 'two', 'three')
const purge: fc.Arbitrary<Purge> = fc.oneof(
  fc.record({ property, scope: fc.constant('url' as const), value: paths, soft: fc.boolean() }),
  fc.record({ property, scope: fc.constant('prefix' as const), value: paths, soft: fc.boolean() }),
  fc.record({
    property,
    scope: fc.constant('wildcard' as const),
    value: fc.constantFrom('*.ts', '/a/**', '/*/b'),
    soft: fc.boolean(),
  }),
  fc.record({ property, scope: fc.constant('tag' as const), value: tag, soft: fc.boolean() }),
  fc.record({
    property,
    scope: fc.constant('property' as const),
    value: fc.constant(''),
    soft: fc.boolean(),
  }),
  fc.record({
    property: fc.constant(null),
    scope: fc.constant('all' as const),
    value: fc.constant(''),
    soft: fc.boolean(),
  }),
)

interface Stored {
  property: string
  path: string
  tags: readonly string[]
  asOf: number
}

/** By the words of the purge, one by one. */
function expected(
  applied: readonly CountedPurge[],
  { property: id, path, tags, asOf }: Stored,
): PurgeVerdict {
  const newer = applied.filter(({ count, purge: { property: of, scope, value } }) => {
    if (count <= asOf || (of !== null && of !== id)) return false
    if (scope === 'url') return path === value
    if (scope === 'prefix') return path.startsWith(value)
    if (scope === 'wildcard') return compilePathPattern(value)(path)
    return scope === 'tag' ? tags.includes(value) : true
  })
  if (newer.some(({ purge: { soft } }) => !soft)) return 'gone'
  return newer.length > 0 ? 'stale' : 'valid'
}

function rulesOf(applied: Iterable<CountedPurge>): PurgeRules {
  const rules = new PurgeRules()
  for (const one of applied) rules.apply(one, cacheKey)
  return rules
}

t.test('an object is what the newest purges that name it make it, before and after a restart', async () => {
  const stored = fc.record({ property, path: paths, tags: fc.uniqueArray(tag), asOf: fc.nat(30) })
  fc.assert(
    fc.property(
      fc.array(purge, { maxLength: 30 }),
      fc.array(stored, { maxLength: 20 }),
      (purges, objects) => {
        const applied = purges.map((one, i) => ({ count: i + 1, purge: one }))
        const rules = rulesOf(applied)
        const again = rulesOf([...rules.entries()].toSorted((a, b) => a.count - b.count))
        return objects.every((object) => {
          const target = { ...object, key: `${object.property} ${object.path}` }
          const verdict = expected(applied, object)
          const concerns = rules.mayConcern(target, object.asOf)
          return (
            rules.verdictOf(target, object.tags, object.asOf) === verdict &&
            again.verdictOf(target, object.tags, object.asOf) === verdict &&
            (verdict === 'valid' || concerns)
          )
        })
      },
    ),
    { numRuns: 500 },
  )
})

const url = (i: number) => `/${i}.ts`

t.test('beyond the bound nothing is forgotten', async (t) => {
  const rules = new PurgeRules()
  for (let i = 1; i <= 40_000; i++) {
    rules.apply(
      { count: i, purge: { property: 'shows', scope: 'tag', value: `t${i}`, soft: false } },
      cacheKey,
    )
    rules.apply({ count: i, purge: { property: 'shows', scope: 'url', value: url(i), soft: true } }, cacheKey)
  }
  for (const i of [1, 5000, 39_999]) {
    const target = { property: 'shows', path: url(i), key: `shows ${url(i)}` }
    t.not(rules.verdictOf(target, [], i - 1), 'valid', `URL ${i}`)
    t.equal(
      rules.verdictOf({ ...target, path: '/other', key: 'shows /other' }, [`t${i}`], i - 1),
      'gone',
      `tag ${i}`,
    )
  }
  t.ok([...rules.entries()].length <= 2 * 32_768 + 2)
})

t.test('counts go on from the time when those of an earlier life are lost', async (t) => {
  const rules = new PurgeRules()
  t.equal(rules.nextCount(1_700_000_000_000.5), 1_700_000_000_000)
  rules.apply(
    { count: 1_700_000_000_000, purge: { property: null, scope: 'all', value: '', soft: true } },
    cacheKey,
  )
  t.equal(rules.nextCount(5), 1_700_000_000_001, 'a clock that went back')
})
