// A client meets at the edge, with other bytes on the wire, what `edgeward explain` says it will: the same status and
// the same word, for each kind of rule, and the origin is not asked for what is refused.
import t from 'tap'
import { contentOf } from '../../src/commands/explain/content.ts'
import { readInquiry } from '../../src/inquiry.ts'
import { judgeInquiry } from '../../src/commands/explain/judgement.ts'
import { loadAnyConfig } from '../../src/config/load.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const HOST = 'shows.example.com'

const ACCESS = {
  addresses: { deny: ['198.51.100.0/24', '2001:db8::/32'] },
  countries: { allow: ['CN', 'DE'], unknown: 'allow', status: 451 },
  referer: { allow: ['*.example.com'], empty: 'allow' },
  origin: { allow: ['https://tv.example.com'], empty: 'allow', status: 410 },
  userAgents: { deny: ['curl/*'] },
  rules: [
    { name: 'office', allow: { networks: ['10.0.0.0/8'] } },
    { name: 'bots', deny: { userAgents: ['*bot*'] }, status: 404 },
    { name: 'premium', deny: { paths: ['/premium/**'], countries: ['DE'] } },
    { name: 'others', allow: { paths: ['/**'], methods: ['GET', 'HEAD'] } },
  ],
}

const GERMAN = { 'X-Forwarded-For': '46.38.225.230' }

// What is asked, and the status and word that both must come to.
const CASES: [path: string, fields: Record<string, string>, wanted: string][] = [
  ['/a.ts', {}, '200'],
  ['/a.ts', GERMAN, '200'],
  ['/a.ts', { 'X-Forwarded-For': '198.51.100.7' }, '403 address_denied'],
  ['/a.ts', { 'X-Forwarded-For': '::ffff:198.51.100.7' }, '403 address_denied'],
  ['/a.ts', { 'X-Forwarded-For': '[2001:db8::1]:443' }, '403 address_denied'],
  ['/a.ts', { 'X-Forwarded-For': '198.51.100.7, 46.38.225.230' }, '200'],
  ['/a.ts', { Forwarded: 'for=8.8.8.8' }, '451 country_not_allowed'],
  ['/a.ts', { Referer: 'https://www.example.com/watch' }, '200'],
  ['/a.ts', { Referer: 'https://www.example.com.evil.net/' }, '403 referer_not_allowed'],
  ['/a.ts', { Referer: 'www.example.com' }, '403 referer_not_allowed'],
  ['/a.ts', { Origin: 'https://tv.example.com' }, '200'],
  ['/a.ts', { Origin: 'null' }, '410 origin_opaque'],
  ['/a.ts', { 'User-Agent': 'CURL/8.5' }, '403 user_agent_denied'],
  ['/a.ts', { 'User-Agent': 'aBot' }, '404 rule_denied'],
  ['/a.ts', { 'User-Agent': 'aBot', 'X-Forwarded-For': '10.1.1.1' }, '200'],
  ['/premium/a.ts', GERMAN, '403 rule_denied'],
  ['/x/../pr%65mium/a.ts', GERMAN, '403 rule_denied'],
  ['/~shows/premium/a.ts', GERMAN, '403 rule_denied'],
  ['/premium/a.ts', { 'X-Forwarded-For': '202.96.128.86' }, '200'],
]

t.test('the edge answers what explain says', { timeout: 60_000 }, async (t) => {
  const media = { body: 'media', fields: { 'Cache-Control': 'no-store' } }
  const origin = await startOrigin(t, { '/a.ts': media, '/premium/a.ts': media })
  const edge = await startEdge(t, {
    origin: origin.url,
    config: {
      trustedProxies: ['127.0.0.1/32'],
      properties: [{ id: 'shows', hosts: [HOST], origins: [{ id: 'studio' }], access: ACCESS }],
    },
  })
  const content = contentOf(await loadAnyConfig(edge.configFile, {}))
  if (content === null) throw new Error('the edge stands alone')
  for (const [path, fields, wanted] of CASES) {
    const name = `${path} ${JSON.stringify(fields)}`
    const header = Object.entries(fields).map(([field, value]) => `${field}: ${value}`)
    const inquiry = readInquiry(`http://${HOST}${path}`, { method: 'GET', header, address: '127.0.0.1' }, 0)
    const { refusal } = await judgeInquiry(inquiry, content)
    t.equal(refusal === null ? '200' : `${refusal.status} ${refusal.reason}`, wanted, `explained: ${name}`)

    const before = origin.total()
    const reply = await get(edge.url + path, { headers: { Host: HOST, ...fields } })
    const word = /^denied: (\w+)\n$/.exec(reply.text)?.[1]
    t.equal(word === undefined ? String(reply.status) : `${reply.status} ${word}`, wanted, `asked: ${name}`)
    t.equal(origin.total() - before, wanted === '200' ? 1 : 0, `origin asked: ${name}`)
  }
})
