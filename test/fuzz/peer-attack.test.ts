// Who is no edge of the cluster and wants to be taken for one: without a token, with one that is made up, and with one that
// was overheard and is used for something else. None of it reaches cache or origin, and nothing is told by the way.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { makePeerToken } from '../../src/wire/peer-token.ts'
import type { PeerClaims } from '../../src/wire/peer-token.ts'
import { makeCertificate } from '../kit/certificates.ts'
import { get } from '../kit/client.ts'
import { guidanceOf, guided, joinedTo, secretNow, startControl } from '../kit/control-server.ts'
import type { TestEdge } from '../kit/edge.ts'
import { ask as askHttp2, openHttp2 } from '../kit/http2-client.ts'
import { metricOf } from '../kit/metric.ts'
import { openRaw } from '../kit/raw-client.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

const SECRET = secretNow('now')
const PATH = '/film/1.ts'
const TARGET = `/~shows${PATH}`
const PLAYLIST = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n/film/1.ts\n#EXT-X-ENDLIST\n'
const fields = { 'Cache-Control': 'max-age=600', 'Surrogate-Key': 'film one' }
const origin = await startOrigin(t, {
  [PATH]: { body: 'segment', fields },
  '/film/main.m3u8': {
    body: PLAYLIST,
    fields: { ...fields, 'Content-Type': 'application/vnd.apple.mpegurl' },
  },
})
const control = await startControl(t, {
  origins: [{ id: 'studio', url: origin.url }],
  properties: [
    {
      id: 'shows',
      hosts: ['shows.example.com'],
      origins: [{ id: 'studio' }],
      access: {
        addresses: { deny: ['127.0.0.0/8'] },
        tokens: { scheme: 'type-a', keys: ['key-of-clients'] },
      },
      methods: ['GET', 'HEAD', 'OPTIONS', 'POST'],
    },
  ],
})
const certificate = await makeCertificate(await tempDirectory(t), 'edge')
for (const id of ['gz-1', 'gz-2', 'gz-tls']) control.guidance.set(id, guidanceOf('1', [SECRET]))
const edge = await joinedTo(t, control, 'gz-2')
const other = await joinedTo(t, control, 'gz-1')
const secure = await joinedTo(t, control, 'gz-tls', { tls: { certificates: [certificate] } })
await Promise.all([edge, other, secure].map((one) => one.start()))
await Promise.all([edge, other, secure].map((one) => guided(one, '1')))

interface Made extends Partial<PeerClaims> {
  to?: string
  method?: string
  target?: string
  atMs?: number
}

const CLAIMS: PeerClaims = { from: 'gz-1', tier: 'peers', event: '' }

function tokenFor({ to = 'gz-2', method = 'GET', target = TARGET, atMs, ...claims }: Made = {}): string {
  const request = { to, method, target }
  return makePeerToken([SECRET], { ...CLAIMS, ...claims }, request, atMs ?? systemClock.now()) ?? ''
}

const askAs = (token: string, target = TARGET, method = 'GET', at: TestEdge = edge) =>
  get(at.url + target, { method, headers: { 'Edgeward-Peer': token } })

t.test(
  'an edge is answered whom the rules of clients would refuse, with what is for edges alone',
  async (t) => {
    t.match(await get(edge.url + TARGET), { status: 403, text: 'denied: address_denied\n' })
    const reply = await askAs(tokenFor())
    t.match(reply, {
      status: 200,
      text: 'segment',
      headers: { 'cache-tag': 'film,one', 'edgeward-age': /^\d+;\d+$/ },
    })
    t.notOk('edgeward-peer' in reply.headers, 'the answer is the origin’s')
    t.notOk('edgeward-peer' in (origin.requests(PATH)[0]?.headers ?? {}), 'no origin sees a token')
    const target = '/~shows/film/main.m3u8'
    t.equal((await askAs(tokenFor({ target }), target)).text, PLAYLIST, 'a playlist goes out as it came')
    t.match(await askAs(tokenFor({ method: 'HEAD' }), TARGET, 'HEAD'), { status: 200 })
    t.equal(await metricOf(edge.admin, 'edgeward_edge_peer_requests_total{tier="peers"}'), 3)
  },
)

t.test('an overheard token is good for nothing else', async (t) => {
  const asked = origin.total()
  const token = tokenFor()
  const refusals: [string, Promise<{ status: number; text: string; headers: object }>][] = [
    ['at another edge', askAs(token, TARGET, 'GET', other)],
    ['for another path', askAs(token, '/~shows/film/2.ts')],
    ['for another spelling of it', askAs(token, '/~shows/film/%31.ts')],
    ['for more of it', askAs(token, `${TARGET}?a=1`)],
    ['without the property', askAs(token, PATH)],
    ['by another method', askAs(token, TARGET, 'HEAD')],
    ['by one that changes things', askAs(token, TARGET, 'POST')],
    ['after its time', askAs(tokenFor({ atMs: SECRET.fromMs + 1000 }))],
    ['before its time', askAs(tokenFor({ atMs: systemClock.now() + 600_000 }))],
    ['as another tier', askAs(token.replace(';peers;', ';shield;'))],
    ['in capitals', askAs(token.toUpperCase())],
    ['cut', askAs(token.slice(0, -1))],
    ['of another secret', askAs(token.replace(';now;', ';then;'))],
    ['empty', askAs('')],
    ['twice in a line', askAs(`${token}, ${token}`)],
    ['with a client’s own token', askAs('1', `${TARGET}?auth_key=1-0-0-0`)],
    ['for what an edge says of itself', askAs('1', '/.edgeward/health')],
    ['for a property that is not there', askAs('1', '/~none/a')],
  ]
  for (const [how, asking] of refusals) {
    const { status, text, headers } = await asking
    t.match({ status, headers }, { status: 403, headers: { 'edgeward-peer': 'peer_token' } }, how)
    t.ok(text === 'peer_token\n' || how.includes('another method'), `${how}: no word of why`)
  }
  t.equal(origin.total(), asked, 'nothing of it reached the origin')
  for (const reason of ['bad-mac', 'malformed', 'expired', 'from-the-future', 'unknown-secret'])
    await until(`the log says ${reason}`, () =>
      edge.log().some((line) => JSON.stringify(line['cause'] ?? '').endsWith(`${reason}"`)),
    )
})

/** A request as it is on the wire, over a connection that `node:http` takes over where the head is not plain. */
async function raw(head: string): Promise<string> {
  const client = await openRaw(t, edge.url)
  client.send(`${head}\r\n\r\n`)
  return (await client.readAll()).toString('latin1')
}

t.test('twice, in other letters, with a body, over other protocols', async (t) => {
  const token = tokenFor()
  const end = 'Host: x\r\nConnection: close'
  const line = `GET ${TARGET} HTTP/1.1`
  t.match(
    await raw(`${line}\r\nEdgeward-Peer: ${token}\r\nEdgeward-Peer: ${token}\r\n${end}`),
    /^HTTP\/1.1 403 /,
  )
  t.match(await raw(`${line}\r\neDGEWARD-pEER: ${token}\r\n${end}`), /^HTTP\/1.1 200 /, 'names have no case')
  t.match(await raw(`${line}\r\nEdgeward-Peer : ${token}\r\n${end}`), /^HTTP\/1.1 400 /)
  t.match(
    await raw(`${line}\r\nEdgeward-Peer: ${token}\r\nConnection: close, edgeward-peer\r\nHost: x`),
    /^HTTP\/1.1 200 /,
  )
  const body = await raw(`${line}\r\nEdgeward-Peer: ${token}\r\nContent-Length: 4\r\n${end}\r\n\r\nbody`)
  t.match(body, /^HTTP\/1.1 400 [^]*edgeward-peer: bad_request/i)
  const post = tokenFor({ method: 'POST' })
  t.match(await askAs(post, TARGET, 'POST'), {
    status: 405,
    headers: { 'edgeward-peer': 'method_not_allowed' },
  })
  t.match(await askAs(tokenFor({ method: 'OPTIONS' }), TARGET, 'OPTIONS'), { status: 405 })

  const session = await openHttp2(t, Number(new URL(secure.url).port))
  t.match(await askHttp2(session, TARGET, { 'edgeward-peer': token }), { status: 403 })
  const own = tokenFor({ to: 'gz-tls' })
  t.match(await askHttp2(session, TARGET, { 'edgeward-peer': own }), { status: 200 })
  t.match(await askHttp2(session, TARGET, { 'edgeward-peer': [own, own] }), { status: 403 })
})

t.test('what this edge itself refuses another says so; a loop is one of these', async (t) => {
  const target = '/~none/film/1.ts'
  const none = await askAs(tokenFor({ target }), target)
  t.match(none, { status: 404, headers: { 'edgeward-peer': 'unknown_property' } })
  const missing = '/~shows/none'
  const absent = await askAs(tokenFor({ target: missing }), missing)
  t.equal(absent.status, 404)
  t.notOk('edgeward-peer' in absent.headers, 'what the origin does not have is its answer')
  const headers = { 'Edgeward-Peer': tokenFor(), 'CDN-Loop': 'edgeward; id="gz-2"' }
  t.match(await get(edge.url + TARGET, { headers }), {
    status: 508,
    headers: { 'edgeward-peer': 'loop_detected' },
  })
})
