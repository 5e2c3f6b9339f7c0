// SIGTERM: no new clients, running responses finish within the bound, exit 0.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { bytesOf } from '../kit/bytes.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { openRaw } from '../kit/raw-client.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const BODY = bytesOf(1, 300_000)
const FRESH = { 'Cache-Control': 'max-age=600' }
const REQUEST = 'GET /film HTTP/1.1\r\nHost: a.example\r\n\r\n'

t.test('a running response finishes, and nobody new gets in', { timeout: 60_000 }, async (t) => {
  const origin = await startOrigin(t, { '/film': { body: BODY, fields: FRESH, pauseAt: 100_000 } })
  const edge = await startEdge(t, { origin: origin.url })
  const client = await openRaw(t, edge.url)
  client.send(REQUEST)
  t.ok(await client.has(50_000))
  const idle = await openRaw(t, edge.url)

  edge.process.signal('SIGTERM')
  await until('new connections are refused', () => get(`${edge.url}/film`, { agent: undefined as never }).then(() => false, () => true))
  await idle.closed
  origin.resume('/film')

  t.ok((await client.read())?.body.equals(BODY))
  t.strictSame(await edge.process.exited, { code: 0, signal: null })
})
