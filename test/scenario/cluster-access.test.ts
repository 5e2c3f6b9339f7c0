// The scheduler refuses early what its edges would refuse, by the same words; a client that goes to an edge directly is
// judged the same. One cluster with rules and tokens, real processes.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { signTypeA } from '../../src/token/type-a.ts'
import { get } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const KEY = 'key-of-the-cluster'
const PATH = '/ep1/main.m3u8'
const origin = await startOrigin(t, {
  [PATH]: {
    fields: { 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': 'max-age=60' },
    body: '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nseg-1.ts\n#EXT-X-ENDLIST\n',
  },
  '/ep1/seg-1.ts': { fields: { 'cache-control': 'max-age=60' }, body: 'segment' },
})

const cluster = await startCluster(t, {
  origin: origin.url,
  sites: { one: { edges: ['a-1'] }, two: { edges: ['b-1'], networks: ['203.0.113.0/24'] } },
  edgeConfig: { trustedProxies: ['127.0.0.0/8'] },
  property: {
    access: {
      addresses: { deny: ['198.51.100.0/24', '2001:db8:bad::/48'], status: 404 },
      countries: { deny: ['DE'] },
      referer: { allow: ['*.example.com'], empty: 'allow' },
      userAgents: { deny: ['*scraper*'] },
      tokens: { scheme: 'type-a', keys: [KEY], except: ['*.jpg'] },
    },
  },
})

const signed = () => signTypeA({ keys: [KEY] }, PATH, { nowMs: systemClock.now() })

const CASES: readonly [
  name: string,
  target: () => string,
  headers: Record<string, string>,
  status: number,
  word: string,
][] = [
  ['no token', () => PATH, {}, 403, 'token_missing'],
  ['a wrong token', () => signed().replace(/.$/, 'x'), {}, 403, 'token_malformed'],
  ['an address', signed, { 'x-forwarded-for': '198.51.100.7' }, 404, 'address_denied'],
  ['an IPv6 address', signed, { 'x-forwarded-for': '2001:db8:bad::1' }, 404, 'address_denied'],
  ['a mapped address', signed, { 'x-forwarded-for': '::ffff:198.51.100.7' }, 404, 'address_denied'],
  ['a country', signed, { 'x-forwarded-for': '91.10.1.1' }, 403, 'country_denied'],
  ['a page', signed, { referer: 'https://www.elsewhere.example/' }, 403, 'referer_not_allowed'],
  ['a user agent', signed, { 'user-agent': 'Super-Scraper/1' }, 403, 'user_agent_denied'],
]

t.test('refused by both, by the same word', async (t) => {
  for (const [name, target, headers, status, word] of CASES) {
    for (const base of [cluster.steering, cluster.edge('a-1').url]) {
      const reply = await get(`${base}/~shows${target()}`, { headers })
      t.match(reply, { status, text: `denied: ${word}\n` }, `${name} at ${base}`)
    }
  }
  t.equal(origin.count(PATH), 0, 'the origin is not asked')
})

t.test('let through by both, and on to what the playlist names', async (t) => {
  const headers = { 'x-forwarded-for': '203.0.113.7', referer: 'https://www.example.com/watch' }
  const redirect = await get(`${cluster.steering}/~shows${signed()}`, { headers })
  t.match(redirect, { status: 302, headers: { location: new RegExp(`^${cluster.edge('b-1').url}/~shows/`) } })
  const playlist = await get(String(redirect.headers.location), { headers })
  const uri = /^seg-1\.ts\?~g=\S+$/m.exec(playlist.text)?.[0] ?? ''
  // A player that resolves against the URL before the redirect asks the scheduler for the segment.
  const segment = await get(`${cluster.steering}/~shows/ep1/${uri}`, { headers })
  t.match(segment, { status: 302 })
  t.match(await get(String(segment.headers.location), { headers }), { status: 200, text: 'segment' })
  t.equal((await get(`${cluster.steering}/~shows/ep2/${uri}`, { headers })).status, 403, 'no further')
})

t.test('counted, and named in the log, without the token', async (t) => {
  const { text } = await get(`${cluster.admin}/metrics`)
  t.match(text, /edgeward_scheduler_denials_total\{property="shows",reason="token_missing"\} 1/)
  const edge = cluster.edge('a-1')
  t.match(
    (await get(`${edge.admin}/metrics`)).text,
    /edgeward_edge_denials_total\{property="shows",reason="country_denied"\} 1/,
  )
  const line = await until('the line of a refusal', () =>
    edge.log().find(({ msg, denied }) => msg === 'request' && denied === 'referer_not_allowed'),
  )
  t.match(line, { path: PATH, status: 403 })
  for (const said of [edge.process.stderr(), cluster.scheduler.stderr()]) {
    t.notMatch(said, /auth_key|~g=/)
    t.notOk(said.includes(KEY))
  }
})
