// Limits over HTTP/2: many streams of one connection are many requests of one client, and a stream that is reset waits
// for nothing any more.
import { once } from 'node:events'
import { connect } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { bytesOf } from '../kit/bytes.ts'
import { makeCertificate } from '../kit/certificates.ts'
import { startEdge } from '../kit/edge.ts'
import { metricOf } from '../kit/metric.ts'
import type { TestScope } from '../kit/scope.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

const BODY = bytesOf(1, 1_000_000)
const WAITING = 'edgeward_edge_paced_waiting'

async function edgeWith(
  t: TestScope,
  limits: object,
): Promise<{ session: ClientHttp2Session; admin: string }> {
  const origin = await startOrigin(t, {
    '/film.mp4': { body: BODY, fields: { 'Cache-Control': 'max-age=600' } },
  })
  const edge = await startEdge(t, {
    origin: origin.url,
    properties: [{ id: 'all', hosts: ['*'], origins: [{ id: 'studio' }], limits }],
    config: { tls: { certificates: [await makeCertificate(await tempDirectory(t), 'edge')] } },
  })
  const session = connect(edge.url.replace('http:', 'https:'), { rejectUnauthorized: false })
  t.teardown(() => session.destroy())
  await once(session, 'connect')
  return { session, admin: edge.admin }
}

async function bodyOf(stream: ClientHttp2Stream): Promise<Buffer> {
  const pieces: Buffer[] = []
  stream.on('data', (piece: Buffer) => pieces.push(piece))
  await once(stream, 'end')
  return Buffer.concat(pieces)
}

t.test('streams of one client share its bandwidth', { timeout: 60_000 }, async (t) => {
  const { session } = await edgeWith(t, { client: { bandwidth: '16Mbit' } })
  const before = systemClock.monotonic()
  const bodies = await Promise.all([1, 2, 3].map(() => bodyOf(session.request({ ':path': '/film.mp4' }))))
  const rate = 3_000_000 / ((systemClock.monotonic() - before) / 1000)
  t.ok(bodies.every((body) => body.equals(BODY)))
  // Never faster. Nearly as fast on a machine that has time; a busy one starts and ends late.
  t.ok(rate < 2_300_000 && rate > 1_000_000, `${Math.round(rate)} bytes/s of 2000000, with its first 200000`)
})

t.test('streams count as requests at once; a reset one waits no more', { timeout: 60_000 }, async (t) => {
  const limits = { response: { rate: '8kbit', burst: '1KiB' }, client: { connections: 2 } }
  const { session, admin } = await edgeWith(t, limits)
  const slow = [1, 2].map(() => session.request({ ':path': '/film.mp4' }))
  await Promise.all(slow.map((stream) => once(stream, 'response')))
  await until('both wait', async () => (await metricOf(admin, WAITING)) === 2)
  const third = session.request({ ':path': '/film.mp4' })
  const [head] = await once(third, 'response')
  t.match(head, { ':status': 429, 'retry-after': '1' })
  t.equal((await bodyOf(third)).toString(), 'denied: client_connections\n')
  for (const stream of slow) stream.close()
  await until('nobody waits', async () => (await metricOf(admin, WAITING)) === 0)
  const [again] = await once(session.request({ ':path': '/film.mp4', ':method': 'HEAD' }), 'response')
  t.match(again, { ':status': 200 })
})
