// Cache-Control as a shared cache reads it, with every doubt on the side of not keeping.
import t from 'tap'
import { parseCacheControl } from '../../src/http/cache-control.ts'
import type { CacheControl } from '../../src/http/cache-control.ts'

const NOTHING = parseCacheControl(undefined)

const CASES: [string | undefined, Partial<CacheControl>][] = [
  [undefined, {}],
  ['', {}],
  [',,, ,', {}],
  ['max-age=60', { maxAge: 60 }],
  ['MAX-AGE=60, S-MaxAge=5', { maxAge: 60, sMaxAge: 5 }],
  ['max-age = 60 , public', { maxAge: 60, public: true }],
  ['max-age="60"', { maxAge: 60 }],
  ['s-maxage=0,max-age=600', { sMaxAge: 0, maxAge: 600 }],
  ['no-store', { noStore: true }],
  ['no-cache', { noCache: true }],
  ['no-cache="Set-Cookie, X-Token"', { noCacheFields: ['set-cookie', 'x-token'] }],
  ['private="X-Name", max-age=9', { private: true, maxAge: 9 }],
  ['must-revalidate', { mustRevalidate: true }],
  ['proxy-revalidate', { proxyRevalidate: true }],
  ['immutable, stale-while-revalidate=30, x-own="no-store"', { staleWhileRevalidate: 30 }],
  ['"no-store", max-age=1', { maxAge: 1 }],
  // RFC 9111 §4.2.1: of two the smaller; what is no number is stale.
  ['max-age=600, max-age=60', { maxAge: 60 }],
  ['max-age=600, max-age=x', { maxAge: 0 }],
  ['max-age', { maxAge: 0 }],
  ['max-age=', { maxAge: 0 }],
  ['max-age=-5', { maxAge: 0 }],
  ['max-age=1.5', { maxAge: 0 }],
  ['max-age=99999999999999999999', { maxAge: 2 ** 31 }],
  // Other separators, or none: still said.
  ['no-store; max-age=60', { noStore: true, maxAge: 60 }],
  ['private max-age=60', { private: true, maxAge: 60 }],
  ['max-age=60 no-cache', { noCache: true, maxAge: 60 }],
  ['a="b, no-store', { noStore: true }],
  // Names that only contain another.
  ['x-no-store, no-store-me, my-private', {}],
]

t.test('nothing is said', async (t) => {
  t.notOk(Object.values(NOTHING).some((value) => value === true || typeof value === 'number'))
})

for (const [text, expected] of CASES) {
  t.test(`${text}`, async (t) => {
    t.strictSame(parseCacheControl(text), { ...NOTHING, ...expected })
  })
}
