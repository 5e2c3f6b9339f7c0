// Who finds out that an upstream is gone, when, and whom it tells; the clock held, the connections real.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, Socket } from 'node:net'
import { mock } from 'node:test'
import t from 'tap'
import type { Test } from 'tap'
import { SILENCE_CONNECT_MS, SILENCE_MS } from '../../edge/limits.ts'
import { SilenceWatch } from '../../edge/upstream/silence-watch.ts'
import { startDeaf } from '../kit/deaf-server.ts'
import { freePort } from '../kit/ports.ts'
import { StillClock } from '../kit/scheduler.ts'

/** A watch, what it has told in order, and the connections by which it finds out. */
function watching(t: Test, origin: string) {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const knocks: Promise<void>[] = []
  const onSocket = (message: unknown) => {
    if (typeof message !== 'object' || message === null || !('socket' in message)) return
    const { socket } = message
    if (!(socket instanceof Socket)) return
    knocks.push(new Promise((resolve) => socket.once('close', () => resolve())))
  }
  subscribe('net.client.socket', onSocket)
  t.teardown(() => unsubscribe('net.client.socket', onSocket))
  const told: string[] = []
  const clock = new StillClock()
  const watch = new SilenceWatch(origin, clock, () => told.push('gone'))
  t.teardown(() => watch.close())
  return {
    watch,
    told,
    knocks,
    wait: (name: string) => watch.await(() => told.push(name)),
    pass: (ms: number) => {
      clock.pass(ms)
      mock.timers.tick(ms)
    },
  }
}

t.test('nothing comes for a second, nor does a connection: who waits is told, once', async (t) => {
  const { told, knocks, wait, pass } = watching(t, await startDeaf(t))
  wait('first')
  const stop = wait('answered')
  pass(SILENCE_MS - 1)
  t.equal(knocks.length, 0, 'an origin may be slow')
  wait('second')
  stop()
  pass(1)
  t.equal(knocks.length, 1)
  pass(1)
  wait('later')
  await knocks[0]
  t.same(told, ['gone', 'first', 'second'], 'not who came after the connection was begun')
  pass(SILENCE_MS)
  t.equal(knocks.length, 2)
  await knocks[1]
  t.same(told.slice(3), ['gone', 'later'])
  pass(10 * SILENCE_MS)
  t.equal(knocks.length, 2, 'nobody waits any more')
})

t.test('a second since it was heard last, not since a head is awaited', async (t) => {
  const { watch, knocks, wait, pass } = watching(t, 'http://127.0.0.1:1')
  wait('first')
  pass(SILENCE_MS - 1)
  watch.heard()
  pass(SILENCE_MS - 1)
  t.equal(knocks.length, 0)
  pass(1)
  t.equal(knocks.length, 1)
})

t.test('it is heard while a connection is tried in vain: it is there', async (t) => {
  const { watch, told, knocks, wait, pass } = watching(t, await startDeaf(t))
  wait('first')
  pass(SILENCE_MS)
  pass(1)
  watch.heard()
  await knocks[0]
  t.same(told, [])
  pass(SILENCE_MS)
  await knocks[1]
  t.same(told, ['gone', 'first'], 'unless that was the last of it')
})

t.test('a connection or a refusal: it is there, and looked at again', async (t) => {
  const port = await freePort()
  const { told, knocks, wait, pass } = watching(t, `http://127.0.0.1:${port}`)
  wait('first')
  pass(SILENCE_MS)
  await knocks[0]
  const server = createServer().listen(port, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const taken = once(server, 'connection')
  pass(SILENCE_MS)
  await Promise.all([taken, knocks[1]])
  pass(SILENCE_MS)
  t.equal(knocks.length, 3)
  await knocks[2]
  t.same(told, [])
})

t.test('this process stands still for longer than a connection may take: that says nothing', async (t) => {
  const port = await freePort()
  const server = createServer().listen(port, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { told, knocks, wait, pass } = watching(t, `http://127.0.0.1:${port}`)
  wait('first')
  pass(SILENCE_MS)
  // Behind the call that begins to connect, before the loop can hear of it.
  process.nextTick(() =>
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SILENCE_CONNECT_MS + 100),
  )
  await knocks[0]
  t.same(told, [])
})

t.test('who waited has its answer, or the watch ends: nothing is tried, nobody told', async (t) => {
  const { watch, told, knocks, wait, pass } = watching(t, await startDeaf(t))
  wait('answered')()
  pass(SILENCE_MS)
  t.equal(knocks.length, 0)
  wait('first')
  watch.close()
  pass(SILENCE_MS)
  t.equal(knocks.length, 0)
  wait('second')
  pass(SILENCE_MS)
  watch.close()
  await knocks[0]
  pass(SILENCE_MS)
  t.same([knocks.length, told], [1, []])
})
