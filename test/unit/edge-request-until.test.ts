// A request that is given up while there is no connection yet ends then, not when connecting fails.
import t from 'tap'
import { requestUntil } from '../../edge/request-until.ts'
import { systemClock } from '../../src/clock.ts'
import { startDeaf } from '../kit/deaf-server.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

t.test('nobody answers a connection: it ends with its signal', async (t) => {
  const url = await startDeaf(t)
  const sinceMs = systemClock.monotonic()
  await t.rejects(requestUntil(AbortSignal.timeout(200), url, {}), { name: 'TimeoutError' })
  await t.rejects(requestUntil(AbortSignal.abort(), url, {}), { name: 'AbortError' })
  t.ok(systemClock.monotonic() - sinceMs < 2000)
})

t.test('an answer comes through, and its body ends with the signal', async (t) => {
  const origin = await startOrigin(t, {
    '/slow': { body: 'abcdef', pauseAt: 3 },
    '/whole': { body: 'whole' },
  })
  const whole = await requestUntil(AbortSignal.timeout(10_000), `${origin.url}/whole`, {})
  t.equal(await whole.body.text(), 'whole')
  const stop = new AbortController()
  const slow = await requestUntil(stop.signal, `${origin.url}/slow`, {})
  stop.abort()
  await t.rejects(slow.body.text(), { name: 'AbortError' })
})
