// Cache-Status by RFC 9211, in the grammar of structured fields.
import t from 'tap'
import { formatCacheStatus, formatItem } from '../../src/http/cache-status.ts'
import type { CacheStatus } from '../../src/http/cache-status.ts'
import { parseCacheStatus } from '../kit/cache-status.ts'

const NONE: CacheStatus = {
  outcome: 'hit',
  forward: null,
  forwardStatus: null,
  stored: false,
  collapsed: false,
  ttl: null,
  detail: null,
}

t.test('what it says', async (t) => {
  const cases: [Partial<CacheStatus>, string][] = [
    [{}, 'gz-1; hit'],
    [{ ttl: 5 }, 'gz-1; hit; ttl=5'],
    [{ ttl: -3 }, 'gz-1; hit; ttl=-3'],
    [{ outcome: 'miss', forward: 'uri-miss', stored: true }, 'gz-1; fwd=uri-miss; stored'],
    [
      { outcome: 'revalidated', forward: 'stale', forwardStatus: 304, ttl: 9 },
      'gz-1; fwd=stale; fwd-status=304; ttl=9',
    ],
    [{ outcome: 'collapsed', forward: 'uri-miss', collapsed: true }, 'gz-1; fwd=uri-miss; collapsed'],
    [{ outcome: 'denied', detail: 'unknown_host' }, 'gz-1; detail=unknown_host'],
  ]
  for (const [status, text] of cases) {
    const said = formatCacheStatus('gz-1', { ...NONE, ...status })
    t.equal(said, text)
    t.equal(parseCacheStatus(said)[0]?.cache, 'gz-1')
  }
})

t.test('a name that does not begin like a token is a string', async (t) => {
  for (const [name, item] of [
    ['gz-1', 'gz-1'],
    ['a.b_c', 'a.b_c'],
    ['1st', '"1st"'],
    ['9', '"9"'],
  ] as const) {
    t.equal(formatItem(name), item)
    t.equal(parseCacheStatus(formatCacheStatus(name, NONE))[0]?.cache, name)
  }
})
