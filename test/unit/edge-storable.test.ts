// What may be kept for other clients, and the reason when not.
import t from 'tap'
import { storableVerdict } from '../../edge/cache/storable.ts'
import type { StorableVerdict } from '../../edge/cache/storable.ts'
import { parseCacheControl } from '../../src/http/cache-control.ts'
import { FieldBlock } from '../../src/http/fields.ts'

const CASES: [string, { status?: number; pairs?: string[]; lifetimeMs?: number }, StorableVerdict][] = [
  ['a plain body', {}, 'storable'],
  ['a permanent redirect', { status: 301 }, 'storable'],
  ['an error about the object', { status: 404 }, 'storable'],
  ['an error about this request', { status: 403 }, 'status'],
  ['a temporary redirect', { status: 302 }, 'status'],
  ['an origin in trouble', { status: 503 }, 'status'],
  ['a part that nobody asked for', { status: 206 }, 'status'],
  ['no-store', { pairs: ['Cache-Control', 'max-age=9, no-store'] }, 'no-store'],
  [
    'no-store on a second line',
    { pairs: ['Cache-Control', 'max-age=9', 'cache-control', 'no-store'] },
    'no-store',
  ],
  ['private', { pairs: ['Cache-Control', 'private, max-age=9'] }, 'private'],
  [
    'private on a second line',
    { pairs: ['Cache-Control', 'max-age=9', 'Cache-Control', 'private'] },
    'private',
  ],
  ['a cookie', { pairs: ['set-cookie', 'a=b'] }, 'set-cookie'],
  ['Vary on what the edge never sends', { pairs: ['Vary', 'Accept-Encoding, ORIGIN,'] }, 'storable'],
  ['Vary on the client', { pairs: ['Vary', 'Accept-Encoding, User-Agent'] }, 'vary'],
  ['Vary on the client on a second line', { pairs: ['Vary', 'Origin', 'Vary', 'Cookie'] }, 'vary'],
  ['Vary on everything', { pairs: ['Vary', '*'] }, 'vary'],
  ['no lifetime, no validator', { lifetimeMs: 0 }, 'no-freshness'],
  ['no lifetime, but an ETag', { lifetimeMs: 0, pairs: ['ETag', '"a"'] }, 'storable'],
  ['no lifetime, but a date', { lifetimeMs: 0, pairs: ['Last-Modified', 'x'] }, 'storable'],
  ['a long head', { pairs: ['X-Long', 'x'.repeat(2000)] }, 'head-too-long'],
]

for (const [title, { status = 200, pairs = [], lifetimeMs = 1000 }, verdict] of CASES) {
  t.test(title, async (t) => {
    const fields = new FieldBlock(pairs)
    const control = parseCacheControl(fields.list('cache-control'))
    t.equal(storableVerdict(status, fields, control, lifetimeMs, 1000), verdict)
  })
}
