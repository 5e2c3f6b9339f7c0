// What goes upstream with a fetch.
import t from 'tap'
import { conditionFields, hasLooped, rangeFields, upstreamFields } from '../../edge/fill/request-fields.ts'
import { buildPropertyTable } from '../../edge/property/property-table.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import { plainOrigin } from '../kit/edge-parts.ts'

const all = () => true

const upstream = (
  fields: string[],
  purpose: 'shared' | 'own' = 'shared',
  forwards: (name: string) => boolean = all,
) => new FieldBlock(upstreamFields('gz-1', { fields, rule: { forwards } }, purpose))

t.test('what the edge says of itself', async (t) => {
  const alone = upstream([])
  t.strictSame(alone.pairs, [
    'Accept-Encoding',
    'identity',
    'Via',
    '1.1 gz-1',
    'CDN-Loop',
    'edgeward; id="gz-1"',
  ])
  const through = upstream(['Via', '1.0 a', 'CDN-Loop', 'other-cdn'])
  t.equal(through.get('cdn-loop'), 'other-cdn, edgeward; id="gz-1"')
  t.equal(through.get('via'), '1.0 a, 1.1 gz-1')
})

t.test('nothing that is between the client and this edge goes up', async (t) => {
  const fields = [
    'Host',
    'a.example',
    'Connection',
    'x-hop, keep-alive',
    'connection',
    'X-Second',
    'X-Hop',
    '1',
    'x-second',
    '1',
    'Keep-Alive',
    '5',
    'TE',
    'trailers',
    'Transfer-Encoding',
    'chunked',
    'Upgrade',
    'h2c',
    'Expect',
    '100-continue',
    'Proxy-Authorization',
    'secret',
  ]
  for (const purpose of ['shared', 'own'] as const) {
    const names = upstream([...fields, 'X-Kept', '1'], purpose).pairs.filter((_, i) => i % 2 === 0)
    t.strictSame(
      names.filter((name) => name !== 'Accept-Encoding'),
      ['X-Kept', 'Via', 'CDN-Loop'],
      purpose,
    )
  }
})

t.test(
  'a shared answer is asked for without the conditions, ranges and encodings of one client',
  async (t) => {
    const own = ['Range', 'If-Range', 'If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since']
    const sent = upstream([
      ...own.flatMap((name) => [name, 'x']),
      'Accept-Encoding',
      'gzip',
      'Content-Length',
      '5',
    ])
    for (const name of [...own, 'Content-Length']) t.equal(sent.get(name.toLowerCase()), undefined, name)
    t.equal(sent.list('accept-encoding'), 'identity')
  },
)

/**
 * Whatever a client sends decides the answer that everybody gets, unless the origin says Vary: one request with
 * `X-Forwarded-Host: evil.example` to an origin that builds links or redirects of it, and that is in the cache.
 */
t.test('only fields that the property forwards go up with a shared fetch', async (t) => {
  const { weight, backup, sites, headers, connections, timeouts } = plainOrigin('http://o.example', 'o')
  const origin = { id: 'o', url: 'http://o.example', headers, connections, timeouts }
  const uses = [{ id: 'o', weight, backup, sites }]
  const failover = { statuses: [], attempts: 1, hedge: false as const }
  const settings = {
    id: 'p',
    hosts: ['*'],
    origins: uses,
    originChoice: 'order' as const,
    failover,
    methods: [],
  }
  const cache = { defaultTtlMs: 0, rules: [], setCookie: 'pass' as const, staleIfErrorMs: 0 }
  const extras = { playlists: { hosts: [], compress: true }, prefetch: { segments: 0 } }
  const open = { access: {}, limits: { client: {}, over: 'refuse' as const } }
  const rule = (forward: string[] | 'all', origins: string[]) => {
    const property = { ...settings, ...extras, ...open, cache, forward, cors: { origins } }
    const wide = { version: '1', steeringUrl: null, propertyLabels: false, origins: [origin] }
    const config = { ...wide, properties: [property] }
    const built = buildPropertyTable(config, 'e').index.findById('p')
    return built?.ruleFor('/').forwards ?? all
  }
  const steering = ['X-Forwarded-Host', 'Forwarded', 'X-Original-URL', 'X-HTTP-Method-Override', 'Cookie']
  for (const name of steering) {
    const value = (forward: string[] | 'all') =>
      upstream([name, 'x'], 'shared', rule(forward, ['*'])).get(name.toLowerCase())
    t.equal(value(['accept']), undefined, name)
    t.equal(value('all'), 'x', `${name}, where all are wanted`)
  }
  t.equal(upstream(['Accept', 'x'], 'shared', rule(['accept'], ['*'])).get('accept'), 'x')
  t.equal(upstream(['Origin', 'x'], 'shared', rule('all', ['*'])).get('origin'), undefined)
  t.equal(
    upstream(['Origin', 'x'], 'shared', rule([], [])).get('origin'),
    'x',
    'where the origin speaks CORS',
  )
})

t.test('a loop is seen by this edge’s own mark alone', async (t) => {
  const marked = upstream(['CDN-Loop', 'other']).get('cdn-loop')
  t.equal(hasLooped(marked, 'gz-1'), true)
  t.equal(hasLooped(marked, 'gz-10'), false)
  t.equal(hasLooped(marked, 'z-1'), false)
  t.equal(hasLooped(undefined, 'gz-1'), false)
})

t.test('conditions carry the validators there are', async (t) => {
  t.strictSame(conditionFields(undefined), [])
  t.strictSame(conditionFields({ etag: undefined, lastModified: undefined }), [])
  t.strictSame(conditionFields({ etag: 'W/"a"', lastModified: 'D' }), [
    'If-None-Match',
    'W/"a"',
    'If-Modified-Since',
    'D',
  ])
})

const validators = (etag: string | undefined) => ({ etag, lastModified: 'D' })

t.test('a part is bound to a strong validator', async (t) => {
  t.strictSame(rangeFields(0, 100, validators('"a"')), ['Range', 'bytes=0-99', 'If-Range', '"a"'])
  for (const weak of [validators('W/"a"'), validators(undefined), undefined]) {
    t.strictSame(rangeFields(100, 200, weak), ['Range', 'bytes=100-199'])
  }
})
