// What may be kept for other clients, and the reason when not.
import t from 'tap'
import { storableVerdict } from '../../edge/cache/storable.ts'
import type { StorableQuestion, StorableVerdict } from '../../edge/cache/storable.ts'
import { parseCacheControl } from '../../src/http/cache-control.ts'
import { FieldBlock } from '../../src/http/fields.ts'

interface Answer extends Partial<StorableQuestion> {
  pairs?: string[]
}

const CASES: [string, Answer, StorableVerdict][] = [
  ['a plain body', {}, 'storable'],
  ['a permanent redirect', { status: 301, explicit: false }, 'storable'],
  ['an error about the object', { status: 404, explicit: false }, 'storable'],
  ['an error about this request', { status: 403, explicit: false }, 'status'],
  ['the same, with a lifetime', { status: 403 }, 'storable'],
  ['a temporary redirect', { status: 302, explicit: false }, 'status'],
  ['an origin in trouble', { status: 503, explicit: false }, 'status'],
  ['an answer that changes nothing', { status: 304 }, 'status'],
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
  ['private for some fields', { pairs: ['Cache-Control', 'private="X-Name"'] }, 'private'],
  ['must-understand, understood', { pairs: ['Cache-Control', 'must-understand, no-store'] }, 'storable'],
  [
    'must-understand, of a status unknown',
    { status: 299, pairs: ['Cache-Control', 'must-understand'] },
    'not-understood',
  ],
  ['to Authorization', { authorised: true }, 'authorization'],
  ['to Authorization, but public', { authorised: true, pairs: ['Cache-Control', 'public'] }, 'storable'],
  ['a cookie', { pairs: ['set-cookie', 'a=b'] }, 'set-cookie'],
  ['a cookie that may be kept', { setCookie: 'keep', pairs: ['set-cookie', 'a=b'] }, 'storable'],
  ['varies on everything', { selecting: '*' }, 'vary'],
  ['varies on a field', { selecting: ['accept-language'] }, 'storable'],
  ['no lifetime, no validator', { lifetimeMs: 0 }, 'no-freshness'],
  ['no lifetime, but an ETag', { lifetimeMs: 0, pairs: ['ETag', '"a"'] }, 'storable'],
  ['no lifetime, but a date', { lifetimeMs: 0, pairs: ['Last-Modified', 'x'] }, 'storable'],
  ['a long head', { pairs: ['X-Long', 'x'.repeat(2000)] }, 'head-too-long'],
]

for (const [title, { pairs = [], ...change }, verdict] of CASES) {
  t.test(title, async (t) => {
    const fields = new FieldBlock(pairs)
    const question: StorableQuestion = {
      status: 200,
      fields,
      control: parseCacheControl(fields.list('cache-control')),
      lifetimeMs: 1000,
      explicit: true,
      selecting: [],
      authorised: false,
      setCookie: 'pass',
      headBytesMax: 1000,
      ...change,
    }
    t.equal(storableVerdict(question), verdict)
  })
}
