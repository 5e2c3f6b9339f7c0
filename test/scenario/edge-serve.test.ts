// An edge serves and caches.
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { parseCacheStatus } from '../kit/cache-status.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

t.test('smoke', async (t) => {
  const body = bytesOf(1, 300_000)
  const origin = await startOrigin(t, { '/a': { body, fields: { 'Cache-Control': 'max-age=60', ETag: '"v1"' } } })
  const edge = await startEdge(t, { origin: origin.url, slice: '64KiB' })
  for (let i = 0; i < 3; i++) {
    const reply = await get(`${edge.url}/a`)
    t.equal(reply.status, 200)
    t.comment(reply.rawHeaders)
    t.ok(reply.body.equals(body))
    t.comment(parseCacheStatus(reply.headers['cache-status']?.toString()))
  }
  t.comment(origin.requests('/a'))
  t.comment(edge.process.stderr())
})
