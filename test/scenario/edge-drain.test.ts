// SIGTERM: no new clients, running responses finish within the bound, exit 0.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { bytesOf } from '../kit/bytes.ts'
import { startEdge } from '../kit/edge.ts'
import { openRaw } from '../kit/raw-client.ts'
import type { TestScope } from '../kit/scope.ts'
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
  await until('new connections are refused', () => isRefused(t, edge.url))
  await idle.closed
  origin.resume('/film')

  t.ok((await client.read())?.body.equals(BODY))
  t.strictSame(await edge.process.exited, { code: 0, signal: null })
})

t.test('a client that does not read holds it no longer than the bound', { timeout: 60_000 }, async (t) => {
  const origin = await startOrigin(t, { '/film': { body: bytesOf(2, 32 * 2 ** 20), fields: FRESH } })
  const edge = await startEdge(t, { origin: origin.url, config: { drain: '1s' } })
  const stuck = await openRaw(t, edge.url)
  stuck.send(REQUEST)
  t.ok(await stuck.has(1))
  stuck.pause()

  const before = systemClock.monotonic()
  t.strictSame(await edge.stop('SIGTERM'), { code: 0, signal: null })
  const took = systemClock.monotonic() - before
  t.ok(took < 8000, `${Math.round(took)} ms with a bound of 1 s`)
})

t.test('idle connections hold it not at all', { timeout: 60_000 }, async (t) => {
  const origin = await startOrigin(t, { '/film': { body: BODY, fields: FRESH } })
  const edge = await startEdge(t, { origin: origin.url })
  const used = await openRaw(t, edge.url)
  used.send(REQUEST)
  t.equal((await used.read())?.status, 200)
  const unused = await openRaw(t, edge.url)
  const halfHead = await openRaw(t, edge.url)
  halfHead.send('GET /film HT')

  const before = systemClock.monotonic()
  t.strictSame(await edge.stop('SIGTERM'), { code: 0, signal: null })
  const took = systemClock.monotonic() - before
  t.ok(took < 8000, `${Math.round(took)} ms, the bound being 30 s`)
  await Promise.all([used.closed, unused.closed])
})

t.test('a second SIGTERM does not break what the first began', { timeout: 60_000 }, async (t) => {
  const origin = await startOrigin(t, { '/film': { body: BODY, fields: FRESH, pauseAt: 100_000 } })
  const edge = await startEdge(t, { origin: origin.url })
  const client = await openRaw(t, edge.url)
  client.send(REQUEST)
  t.ok(await client.has(50_000))
  edge.process.signal('SIGTERM')
  await until('new connections are refused', () => isRefused(t, edge.url))
  edge.process.signal('SIGTERM')
  origin.resume('/film')
  t.ok((await client.read())?.body.equals(BODY))
  t.strictSame(await edge.process.exited, { code: 0, signal: null })
})

t.test('SIGTERM right after the start, and SIGINT, end with 0 as well', { timeout: 60_000 }, async (t) => {
  const origin = await startOrigin(t, {})
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const edge = await startEdge(t, { origin: origin.url })
    t.strictSame(await edge.stop(signal), { code: 0, signal: null })
  }
})

async function isRefused(t: TestScope, url: string): Promise<boolean> {
  try {
    const client = await openRaw(t, url)
    client.leave()
    return false
  } catch {
    return true
  }
}
