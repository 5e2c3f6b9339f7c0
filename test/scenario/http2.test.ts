// A real edge over HTTP/2: the same answers as over HTTP/1.1, many at a time on one connection, and what a client
// does to one stream leaves the others alone.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { makeCertificate } from '../kit/certificates.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { ask, openHttp2, readReply } from '../kit/http2-client.ts'
import { TYPE, frame, get, openFrames, uint32 } from '../kit/http2-frames.ts'
import type { FrameClient } from '../kit/http2-frames.ts'
import { startRecordingOrigin } from '../kit/recording-origin.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

const MIB = 2 ** 20
const FILM = bytesOf(1, 5 * MIB)
const FRESH = { 'Cache-Control': 'max-age=600', ETag: '"a"' }
const certificate = await makeCertificate(await tempDirectory(t), 'edge')
const tls = { certificates: [certificate] }
const origin = await startOrigin(t, {
  '/small': { body: 'small', fields: FRESH },
  '/film': { body: FILM, fields: FRESH },
  '/held': { body: FILM, fields: FRESH, pauseAt: MIB },
  '/cut': { body: FILM, fields: { 'Cache-Control': 'no-store' }, cutAt: 2 * MIB },
  '/hints': { body: 'x', fields: { Connection: 'close', 'Keep-Alive': 'timeout=5', 'X-Twice': ['a', 'b'] } },
})
const edge = await startEdge(t, { origin: origin.url, config: { tls } })
const portOf = (of: TestEdge) => Number(new URL(of.url).port)

t.test('whole, in part, unchanged, without a body, not there', async (t) => {
  const session = await openHttp2(t, portOf(edge))
  const whole = await ask(session, '/film')
  t.match([whole.status, whole.complete, whole.headers['content-length']], [200, true, String(FILM.length)])
  t.ok(whole.body.equals(FILM))
  t.match(whole.headers, { etag: '"a"', 'cache-status': /solo/, date: /GMT$/, age: /^\d+$/ })
  const part = await ask(session, '/film', { range: `bytes=${MIB}-${3 * MIB}` })
  t.match([part.status, part.headers['content-range']], [206, `bytes ${MIB}-${3 * MIB}/${FILM.length}`])
  t.ok(part.body.equals(FILM.subarray(MIB, 3 * MIB + 1)))
  t.match(await ask(session, '/film', { 'if-none-match': '"a"' }), { status: 304, complete: true })
  const head = await ask(session, '/film', { ':method': 'HEAD' })
  t.match([head.status, head.headers['content-length'], head.body.length], [200, String(FILM.length), 0])
  t.match(await ask(session, '/none'), { status: 404, complete: true })
  t.match(await ask(session, '/small', { ':method': 'DELETE' }), { status: 405, complete: true })
  t.match(await ask(session, '/small', { range: 'bytes=100-' }), { status: 416, complete: true })
})

t.test('fields of a connection stay behind, repeated ones are all there', async (t) => {
  const session = await openHttp2(t, portOf(edge))
  const { status, headers } = await ask(session, '/hints')
  t.equal(status, 200)
  t.match(headers['x-twice'], 'a, b')
  t.notOk('connection' in headers || 'keep-alive' in headers || 'transfer-encoding' in headers)
})

t.test('a hundred requests at a time on one connection', async (t) => {
  const session = await openHttp2(t, portOf(edge))
  const replies = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      ask(session, '/film', { range: `bytes=${i * 50_000}-${i * 50_000 + 99_999}` }),
    ),
  )
  for (const [i, { status, body }] of replies.entries()) {
    t.ok(status === 206 && body.equals(FILM.subarray(i * 50_000, i * 50_000 + 100_000)), `part ${i}`)
  }
  t.equal(origin.count('/film'), 1)
})

t.test('one that leaves, one that is cut by the origin: the others on the connection go on', async (t) => {
  const session = await openHttp2(t, portOf(edge))
  const left = session.request({ ':path': '/held' })
  const stays = session.request({ ':path': '/held' })
  const reply = readReply(stays)
  await Promise.all([once(left, 'data'), once(stays, 'data')])
  left.close(8)
  const cut = await ask(session, '/cut')
  t.match([cut.status, cut.complete], [200, false])
  t.not(cut.resetCode, 0)
  t.ok(cut.body.length <= 2 * MIB && cut.body.equals(FILM.subarray(0, cut.body.length)))
  origin.resume('/held')
  t.ok((await reply).body.equals(FILM))
  t.equal(origin.count('/held'), 1)
  t.equal((await ask(session, '/small')).body.toString(), 'small')
})

t.test('bodies on their way to an origin: each is one request there, whatever is in it', async (t) => {
  const recording = await startRecordingOrigin(t)
  const passing = await startEdge(t, {
    origin: recording.url,
    properties: [{ id: 'all', hosts: ['*'], origins: [{ id: 'studio' }], methods: ['GET', 'POST', 'PUT'] }],
    config: { tls },
  })
  const session = await openHttp2(t, portOf(passing))
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n'
  const upload = bytesOf(3, 3 * MIB)
  const bodies: (string | Buffer)[] = [smuggled, `0\r\n\r\n${smuggled}`, '', upload]
  for (const body of bodies) {
    for (const sized of [true, false]) {
      const length: Record<string, string> = sized ? { 'content-length': String(body.length) } : {}
      const { status } = await ask(session, '/post', { ':method': 'POST', ...length }, body)
      t.equal(status, 200)
      const request = recording.requests.at(-1)
      t.match([request?.method, request?.target, request?.complete], ['POST', '/post', true])
      t.ok(request?.body === Buffer.from(body).toString('latin1'), `${body.length} bytes`)
    }
  }
  t.equal(recording.requests.length, 2 * bodies.length)
  // A body that does not have its length: the stream or the connection ends, and the origin must not think it whole.
  for (const length of ['10', '3']) {
    const fields = { ':method': 'POST', 'content-length': length }
    const { complete } = await ask(await openHttp2(t, portOf(passing)), '/short', fields, 'hello')
    t.notOk(complete)
  }
  await until('both are over', () =>
    recording.requests.every(({ target, complete }) => target !== '/short' || !complete),
  )
  // Answered before its body has come: the stream ends, the connection does not.
  const early = session.request({ ':path': '/post', ':method': 'PATCH' })
  early.write(upload)
  t.match(await readReply(early), { status: 405, resetCode: 0 })
  t.equal((await ask(session, '/post', { ':method': 'PUT' }, 'last')).status, 200)
  t.equal(recording.requests.at(-1)?.body, 'last')
  t.notOk(recording.requests.some(({ target }) => target === '/smuggled'))
  t.strictSame(recording.garbage, [])
})

t.test('draining: GOAWAY, what runs is finished, and nothing new is begun', async (t) => {
  const server = await startEdge(t, { origin: origin.url, config: { tls } })
  origin.on('/later', { body: FILM, fields: FRESH, pauseAt: MIB })
  const session = await openHttp2(t, portOf(server))
  const idle = await openHttp2(t, portOf(server))
  t.equal((await ask(idle, '/small')).status, 200)
  const stream = session.request({ ':path': '/later' })
  const reply = readReply(stream)
  await once(stream, 'data')
  const told = once(session, 'goaway')
  const idleClosed = once(idle, 'close')
  server.process.signal('SIGTERM')
  await Promise.all([told, idleClosed])
  origin.resume('/later')
  t.ok((await reply).body.equals(FILM))
  t.strictSame(await server.process.exited, { code: 0, signal: null })
})

function residentBytes(of: TestEdge): number {
  const status = readFileSync(`/proc/${of.process.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024
}

t.test('a thousand streams whose windows stay shut cost little memory', async (t) => {
  const session = await openHttp2(t, portOf(edge))
  t.equal((await ask(session, '/film')).status, 200)
  const before = residentBytes(edge)
  const clients: FrameClient[] = []
  for (let i = 0; i < 10; i++) {
    const client = await openFrames(t, portOf(edge), Buffer.concat([Buffer.from([0, 4]), uint32(0)]))
    for (let k = 0; k < 100; k++) client.request(get('/film', [], { ':authority': 'localhost' }))
    clients.push(client)
  }
  for (const client of clients) {
    await until(
      'all are answered',
      () => client.frames.filter(({ type }) => type === TYPE.headers).length === 100,
    )
  }
  const grown = residentBytes(edge) - before
  t.ok(grown < 160 * MIB, `${Math.round(grown / MIB)} MiB for 1000 streams of 5 MiB each`)
  // One of them opens its windows after all.
  const [first] = clients
  first?.send(
    frame(TYPE.windowUpdate, 0, 0, uint32(2 ** 30)),
    frame(TYPE.windowUpdate, 0, 1, uint32(2 ** 30)),
  )
  await first?.find(({ type, flags, stream }) => type === TYPE.data && stream === 1 && flags === 1)
  const body = first?.frames.filter(({ type, stream }) => type === TYPE.data && stream === 1) ?? []
  t.ok(Buffer.concat(body.map(({ payload }) => payload)).equals(FILM))
  for (const client of clients) client.socket.destroy()
  t.equal((await ask(session, '/small')).status, 200)
})
