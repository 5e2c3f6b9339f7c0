// Reports that are told at a glance are those that the schema takes, and it would give them back as they are: over whole
// reports, and over those of which one part is something else.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { isPlainReport } from '../../src/wire/plain-report.ts'
import { edgeReportSchema } from '../../src/wire/report.ts'
import { reportOf } from '../kit/scheduler.ts'

const WHOLE = [
  reportOf('gz-1'),
  reportOf('gz-1', {
    state: 'draining',
    configRefused: { version: 'v2', reason: 'properties[0]: is missing' },
    hitRatio: 0.5,
    directories: [
      { property: 'shows', path: '/', bitRate: 0 },
      { property: 'shows', path: '/a/b/', bitRate: 1e9 },
    ],
    properties: [{ id: 'shows', bitRate: 5.5 }],
    origins: [
      { id: 'studio', ok: 3, failed: 0 },
      { id: 'store', ok: 0, failed: 9, open: true },
    ],
  }),
]
/** What stands at the edge of what is taken, and what JSON can hold instead. */
const TEXTS = [0, 1, 63, 64, 65, 128, 129, 256, 257, 500, 501].map((length) => 'x'.repeat(length))
const ENUMS_AND_PATHS = ['up', 'degraded', 'Up', '/', '//', '/a', 'a/', '/a\n/']
const LONG_PATHS = [254, 255].map((length) => `/${'a'.repeat(length)}/`)
const NUMBERS = [0, -0, 1, -1, 0.5, 1.0001, 2 ** 53 - 1, 2 ** 53, 1e300, Infinity, -Infinity]
const OTHERS = [null, true, false, {}, [], [[]], [null], ['x'], { id: 'x' }, { length: 1 }, undefined]
const LISTS = [32, 33, 64, 65, 256, 257].flatMap((length) => [
  Array.from({ length }, () => ({ id: 'x', bitRate: 1 })),
  Array.from({ length }, () => ({ id: 'x', ok: 1, failed: 1 })),
  Array.from({ length }, () => ({ property: 'x', path: '/', bitRate: 1 })),
])
const ODD: readonly unknown[] = [...TEXTS, ...ENUMS_AND_PATHS, ...LONG_PATHS, ...NUMBERS, ...OTHERS, ...LISTS]

interface Change {
  /** Of the places in a report, in the order in which they are met. */
  readonly place: number
  readonly to: unknown
  /** The key goes by another name; of the rest of the report nothing changes. */
  readonly renamed: boolean
}

const PLACES = 60
const change: fc.Arbitrary<Change> = fc.record({
  place: fc.nat(PLACES),
  to: fc.oneof(fc.constantFrom(...ODD), fc.jsonValue()),
  renamed: fc.boolean(),
})

/** A copy in which one place holds something else; undefined leaves it out. */
function changed(value: unknown, { place, to, renamed }: Change): unknown {
  let met = 0
  const copy = (part: unknown): unknown => {
    if (met++ === place) return to
    if (Array.isArray(part)) return part.map(copy).filter((item) => item !== undefined)
    if (typeof part !== 'object' || part === null) return part
    const entries = Object.entries(part).map(([key, of]): [string, unknown] => {
      const isIt = met === place
      return [isIt && renamed ? `${key}x` : key, isIt && renamed ? of : copy(of)]
    })
    return Object.fromEntries(entries.filter(([, of]) => of !== undefined))
  }
  return copy(value)
}

/** True: both take it. */
function isTaken(value: unknown): boolean {
  const parsed = edgeReportSchema.safeParse(value)
  assert.equal(isPlainReport(value), parsed.success, JSON.stringify(value)?.slice(0, 500))
  if (parsed.success) assert.deepStrictEqual(parsed.data, value)
  return parsed.success
}

t.test('any one place holds anything that stands at a bound, or goes by another name', (t) => {
  let taken = 0
  let refused = 0
  for (const whole of WHOLE) {
    for (let place = 0; place <= PLACES; place++) {
      const changes: Change[] = ODD.map((to) => ({ place, to, renamed: false }))
      for (const one of [...changes, { place, to: null, renamed: true }]) {
        if (isTaken(changed(whole, one))) taken += 1
        else refused += 1
      }
    }
  }
  t.ok(taken > 1000 && refused > 1000, `${taken} are taken, ${refused} are not`)
  t.end()
})

t.test('some do', (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...WHOLE), fc.array(change, { maxLength: 3 }), (whole, changes) => {
      isTaken(changes.reduce<unknown>((report, one) => changed(report, one), whole))
    }),
    { numRuns: 3000 },
  )
  t.end()
})
