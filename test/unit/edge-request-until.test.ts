// A request that is given up while there is no connection yet ends then, not when connecting fails.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { requestUntil } from '../../edge/request-until.ts'
import { systemClock } from '../../src/clock.ts'
import type { TestScope } from '../kit/scope.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

/** Listens, says where, and never runs again: once its queue is full, the kernel drops whoever wants to connect. */
const DEAF = `
const server = require('node:net').createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})`

async function startDeaf(t: TestScope): Promise<string> {
  const child = spawn(process.execPath, ['-e', DEAF], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [said] = await once(child.stdout, 'data')
  const port = Number(String(said))
  for (let queued = 0; queued < 2; queued++) {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
  }
  return `http://127.0.0.1:${port}/`
}

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
