// CDN-Cache-Control (RFC 9213) as the public suite's newest version asks for it: it wins over Cache-Control and
// Expires, and what is not a dictionary is as if it were not there.
import t from 'tap'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const FUTURE = 'Fri, 01 Jan 2100 00:00:00 GMT'
const PAST = 'Thu, 01 Jan 1970 00:00:01 GMT'

/** Fields of the answer → whether a second client is served from the cache. */
const CASES: [string, Record<string, string | string[]>, boolean][] = [
  ['max-age', { 'CDN-Cache-Control': 'max-age=3600' }, true],
  ['max-age=0', { 'CDN-Cache-Control': 'max-age=0' }, false],
  ['max-age at its largest', { 'CDN-Cache-Control': 'max-age=2147483648' }, true],
  ['max-age beyond', { 'CDN-Cache-Control': 'max-age=99999999999' }, true],
  ['max-age of 15 digits', { 'CDN-Cache-Control': 'max-age=999999999999999' }, true],
  [
    'wins over a shorter Cache-Control',
    { 'CDN-Cache-Control': 'max-age=3600', 'Cache-Control': 'max-age=0' },
    true,
  ],
  [
    'wins over a longer Cache-Control',
    { 'CDN-Cache-Control': 'max-age=0', 'Cache-Control': 'max-age=3600' },
    false,
  ],
  ['wins over s-maxage', { 'CDN-Cache-Control': 'max-age=0', 'Cache-Control': 's-maxage=3600' }, false],
  ['wins over no-store', { 'CDN-Cache-Control': 'max-age=3600', 'Cache-Control': 'no-store' }, true],
  ['wins over private', { 'CDN-Cache-Control': 'max-age=3600', 'Cache-Control': 'private' }, true],
  ['wins over no-cache', { 'CDN-Cache-Control': 'max-age=3600', 'Cache-Control': 'no-cache' }, true],
  ['wins over a past Expires', { 'CDN-Cache-Control': 'max-age=3600', Expires: PAST }, true],
  ['wins over a future Expires', { 'CDN-Cache-Control': 'max-age=0', Expires: FUTURE }, false],
  ['no Expires beside it', { 'CDN-Cache-Control': 'public', Expires: FUTURE }, false],
  ['Age counts', { 'CDN-Cache-Control': 'max-age=3600', Age: '7200' }, false],
  ['no-store', { 'CDN-Cache-Control': 'no-store', 'Cache-Control': 'max-age=3600' }, false],
  ['no-store with max-age', { 'CDN-Cache-Control': 'no-store, max-age=3600' }, false],
  ['private', { 'CDN-Cache-Control': 'private, max-age=3600' }, false],
  ['no-cache', { 'CDN-Cache-Control': 'no-cache, max-age=3600' }, false],
  ['an unknown directive beside', { 'CDN-Cache-Control': 'foobar, max-age=3600' }, true],
  ['an unknown directive with a value', { 'CDN-Cache-Control': 'foobar=3600, max-age=3600' }, true],
  ['two lines are one dictionary', { 'CDN-Cache-Control': ['max-age=3600', 'public'] }, true],
  ['the last of equal keys', { 'CDN-Cache-Control': 'max-age=0, max-age=3600' }, true],
  ['parameters are ignored', { 'CDN-Cache-Control': 'max-age=3600;x=1' }, true],
  ['false is not said', { 'CDN-Cache-Control': 'max-age=3600, no-store=?0' }, true],
  // What is not a dictionary: Cache-Control speaks.
  ['invalid: capitals', { 'CDN-Cache-Control': 'MaX-aGe=3600', 'Cache-Control': 'no-store' }, false],
  [
    'invalid: capitals, kept by Cache-Control',
    { 'CDN-Cache-Control': 'No-StOrE', 'Cache-Control': 'max-age=3600' },
    true,
  ],
  ['invalid: space before =', { 'CDN-Cache-Control': 'max-age =0', 'Cache-Control': 'max-age=3600' }, true],
  ['invalid: space after =', { 'CDN-Cache-Control': 'max-age= 0', 'Cache-Control': 'max-age=3600' }, true],
  ['invalid: trailing comma', { 'CDN-Cache-Control': 'no-store,', 'Cache-Control': 'max-age=3600' }, true],
  [
    'invalid: unfinished string',
    { 'CDN-Cache-Control': 'no-store, a="', 'Cache-Control': 'max-age=3600' },
    true,
  ],
  ['invalid: garbage', { 'CDN-Cache-Control': '&', 'Cache-Control': 'max-age=3600' }, true],
  ['empty', { 'CDN-Cache-Control': '', 'Cache-Control': 'max-age=3600' }, true],
  // A directive of the wrong type is not that directive; the field still stands.
  ['max-age as string', { 'CDN-Cache-Control': 'max-age="3600"', 'Cache-Control': 'max-age=3600' }, false],
  ['max-age as decimal', { 'CDN-Cache-Control': 'max-age=3600.0', 'Cache-Control': 'max-age=3600' }, false],
  ['max-age negative', { 'CDN-Cache-Control': 'max-age=-3600', 'Cache-Control': 'max-age=3600' }, false],
]

t.test('what a second client gets', async (t) => {
  const origin = await startOrigin(
    t,
    Object.fromEntries(
      CASES.map(([, fields], i) => [`/${i}`, (_request, nth: number) => ({ body: `answer ${nth}`, fields })]),
    ),
  )
  const edge = await startEdge(t, { origin: origin.url })
  for (const [i, [name, fields, reused]] of CASES.entries()) {
    const first = await get(`${edge.url}/${i}`)
    const second = await get(`${edge.url}/${i}`)
    t.equal(second.text, reused ? first.text : 'answer 2', name)
    const sent = Object.keys(fields).includes('CDN-Cache-Control') && fields['CDN-Cache-Control'] !== ''
    if (sent) t.ok(first.headers['cdn-cache-control'] !== undefined, 'the field goes on to the next cache')
  }
})
