// The public server under clients that are slow, greedy, half gone or too many. Its clock is the test's.
import { mock } from 'node:test'
import t from 'tap'
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import { NO_FIELDS } from '../../src/http/fields.ts'
import type { Transaction } from '../../src/http/transaction.ts'
import { HEAD_TIMEOUT_MS, IDLE_TIMEOUT_MS, writeTimeoutMs } from '../../src/http1/limits.ts'
import { HttpServer } from '../../src/listener/http-server.ts'
import { openRaw } from '../kit/raw-client.ts'
import type { RawClient } from '../kit/raw-client.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

const GET = (target: string, more = '') => `GET ${target} HTTP/1.1\r\nHost: a.example\r\n${more}\r\n`
const LARGE = Buffer.alloc(16 * 2 ** 20, 'x')

class Rig {
  readonly seen: Transaction[] = []
  readonly server: HttpServer
  url = ''
  #aheadMs = 0

  constructor(handler: (transaction: Transaction) => void, bounds: Partial<{ connectionsMax: number }>) {
    const clock: Clock = {
      now: () => systemClock.now(),
      monotonic: () => systemClock.monotonic() + this.#aheadMs,
    }
    this.server = new HttpServer({
      clock,
      handler: (transaction) => {
        this.seen.push(transaction)
        handler(transaction)
      },
      ...bounds,
    })
  }

  /** Time passes; the server's sweep sees it within a second. */
  pass(ms: number): void {
    this.#aheadMs += ms
  }

  targets(): string[] {
    return this.seen.map(({ request }) => request.target)
  }
}

async function openRig(
  t: TestScope,
  handler: (transaction: Transaction) => void = answer,
  bounds: Partial<{ connectionsMax: number; connectionsPerAddressMax: number }> = {},
): Promise<Rig> {
  const rig = new Rig(handler, bounds)
  const port = await rig.server.listen({ host: '127.0.0.1', port: 0 }, 'listen')
  rig.url = `http://127.0.0.1:${port}`
  t.teardown(() => rig.server.drain(0))
  return rig
}

function answer({ request, reply }: Transaction): void {
  const body = request.target.startsWith('/large') ? LARGE : Buffer.from(request.target)
  reply.send({ status: 200, fields: NO_FIELDS, extra: [], length: body.length }, body)
}

function later(transaction: Transaction): void {
  setImmediate(() => answer(transaction))
}

function stream({ reply }: Transaction): void {
  reply.start({ status: 200, fields: NO_FIELDS, extra: [], length: LARGE.length })
  void reply.write(LARGE)
}

/** Asks and does not read the answer. */
async function askAndStall(t: TestScope, rig: Rig, bytes: string): Promise<RawClient> {
  const client = await openRaw(t, rig.url)
  client.pause()
  client.send(bytes)
  const before = rig.seen.length
  await until('it is asked', () => rig.seen.length > before)
  return client
}

t.test('a head that does not end: 408', async (t) => {
  const rig = await openRig(t)
  const client = await openRaw(t, rig.url)
  client.send('GET / HTTP/1.1\r\nHost: a.exa')
  rig.pass(HEAD_TIMEOUT_MS + 1)
  t.equal((await client.read())?.status, 408)
  t.equal(await client.closed, false)
})

t.test('dripping does not move the deadline of a head', async (t) => {
  const rig = await openRig(t)
  const client = await openRaw(t, rig.url)
  client.send('GET / HTTP/1.1\r\n')
  rig.pass(HEAD_TIMEOUT_MS - 100)
  client.send('X: ')
  rig.pass(200)
  t.equal((await client.read())?.status, 408)
})

t.test('a connection that says nothing, or nothing more, is closed without a word', async (t) => {
  const rig = await openRig(t)
  const silent = await openRaw(t, rig.url)
  const idle = await openRaw(t, rig.url)
  idle.send(GET('/a'))
  t.equal((await idle.read())?.status, 200)
  rig.pass(HEAD_TIMEOUT_MS + 1)
  t.equal((await silent.readAll()).length, 0)
  await silent.closed
  t.notOk(idle.socket.closed, 'between two requests there is more time')
  rig.pass(IDLE_TIMEOUT_MS)
  t.equal((await idle.readAll()).length, 0)
})

for (const [how, more] of [
  ['kept open', ''],
  ['to be closed', 'Connection: close\r\n'],
]) {
  t.test(`a slow reader has the time its bytes take at the floor, connection ${how}`, async (t) => {
    const rig = await openRig(t)
    const client = await askAndStall(t, rig, GET('/large', more))
    rig.pass(IDLE_TIMEOUT_MS + HEAD_TIMEOUT_MS)
    // The sweep has been when a silent connection of the same age is gone.
    const silent = await openRaw(t, rig.url)
    rig.pass(HEAD_TIMEOUT_MS + 1)
    await silent.closed
    client.resume()
    t.equal((await client.read())?.body.length, LARGE.length)
  })

  t.test(`a client that does not read at all is cut, connection ${how}`, async (t) => {
    const rig = await openRig(t)
    const client = await askAndStall(t, rig, GET('/large', more))
    rig.pass(writeTimeoutMs(LARGE.length) + IDLE_TIMEOUT_MS)
    await until('it is closed', () => rig.server.connectionCount === 0)
    client.resume()
    t.ok((await client.readAll()).length < LARGE.length)
  })
}

t.test('a client that does not read at all is cut by node:http too', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  for (const handler of [answer, stream]) {
    const rig = await openRig(t, handler)
    const client = await openRaw(t, rig.url)
    client.pause()
    client.send('GET /large HTTP/1.0\r\n\r\n')
    const asked = Promise.withResolvers<void>()
    const watch = () => (rig.seen.length > 0 ? asked.resolve() : setImmediate(watch))
    watch()
    await asked.promise
    mock.timers.tick(writeTimeoutMs(LARGE.length) - 1)
    t.equal(rig.server.connectionCount, 1)
    mock.timers.tick(2)
    client.resume()
    t.ok((await client.readAll()).length < LARGE.length)
  }
})

t.test('requests sent without reading the answers wait in the client', async (t) => {
  const rig = await openRig(t)
  const greedy = await askAndStall(t, rig, GET('/large'))
  const flood = 64 * 2 ** 20
  const requests = Buffer.from(GET('/x').repeat(10_000))
  for (let sent = 0; sent < flood; sent += requests.length) greedy.socket.write(requests)
  // Others are served meanwhile, many times over what reading the flood would take.
  const other = await openRaw(t, rig.url)
  for (let i = 0; i < 3000; i++) {
    other.send(GET('/o'))
    await other.read()
  }
  const waiting = greedy.socket.writableLength
  t.ok(waiting > flood - 24 * 2 ** 20, `${waiting} bytes still wait in the client`)
  t.equal(rig.targets().filter((target) => target === '/x').length, 0)
  greedy.leave()
})

t.test('a pipelining client that reads gets all its answers in order', async (t) => {
  for (const handler of [answer, later]) {
    const rig = await openRig(t, handler)
    const client = await openRaw(t, rig.url)
    const targets = Array.from({ length: 2000 }, (_, i) => `/${i}`)
    client.send(targets.map((target) => GET(target)).join(''))
    for (const target of targets) {
      const reply = await client.read()
      if (reply?.body.toString() !== target) t.fail(`${target} answered with ${reply?.body.toString()}`)
    }
    t.strictSame(rig.targets(), targets)
  }
})

t.test(
  'a handed-over connection goes on where it was, and later requests are read by the same parser',
  async (t) => {
    for (const handler of [answer, later]) {
      const rig = await openRig(t, handler)
      const client = await openRaw(t, rig.url)
      const smuggled = GET('/smuggled')
      const post = `POST /2 HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`
      client.send(GET('/1') + post)
      t.equal((await client.read())?.body.toString(), '/1')
      const second = await client.read()
      t.equal(second?.body.toString(), '/2')
      if (second?.headers.get('connection') !== 'close') {
        client.send(GET('/3'))
        t.equal((await client.read())?.body.toString(), '/3')
      }
      t.notOk(rig.targets().includes('/smuggled'))
    }
  },
)

t.test('a client may close its side and still read its answers', async (t) => {
  const rig = await openRig(t, later)
  for (const bytes of [GET('/1') + GET('/2'), 'GET /1 HTTP/1.0\r\n\r\n']) {
    const client = await openRaw(t, rig.url)
    client.socket.end(bytes)
    t.match(await client.read(), { status: 200 })
  }
})

t.test('what cannot be handed over any more is closed, not left hanging', async (t) => {
  const answers: (() => void)[] = []
  const rig = await openRig(t, (transaction) => void answers.push(() => answer(transaction)))
  const client = await openRaw(t, rig.url)
  client.socket.end(`${GET('/1')}GET /2 HTTP/1.0\r\n\r\n`)
  await until('the first is asked', () => answers.length === 1)
  // The end of the stream comes after its bytes.
  await new Promise((resolve) => setTimeout(resolve, 50))
  answers[0]?.()
  t.equal((await client.read())?.body.toString(), '/1')
  t.equal((await client.readAll()).length, 0)
  t.equal(await client.closed, false)
})

t.test('behind a reply that was cut nothing is answered', async (t) => {
  const rig = await openRig(t, ({ reply }) => {
    reply.start({ status: 200, fields: NO_FIELDS, extra: [], length: 100 })
    reply.abort()
  })
  const client = await openRaw(t, rig.url)
  client.send(GET('/1') + GET('/2') + GET('/3'))
  await client.closed
  t.strictSame(rig.targets(), ['/1'])
})

t.test('a client that leaves is noticed while its answer is awaited', async (t) => {
  for (const bytes of [GET('/1') + GET('/2'), 'GET /1 HTTP/1.0\r\n\r\n']) {
    const rig = await openRig(t, () => {})
    const client = await openRaw(t, rig.url)
    client.send(bytes)
    const [transaction] = await until('it is asked', () => rig.seen.length > 0 && rig.seen)
    const finished = new Promise<boolean>((resolve) => {
      if (transaction !== undefined) transaction.reply.onFinish = resolve
    })
    client.socket.resetAndDestroy()
    t.equal(await finished, false)
    t.equal(transaction?.reply.closed, true)
    t.equal(await transaction?.reply.write(LARGE), false)
    await until('it is gone', () => rig.server.connectionCount === 0)
    t.equal(rig.seen.length, 1)
  }
})

t.test('repeated fields are read alike on both sides', async (t) => {
  const fields = [
    'If-Modified-Since: a',
    'If-Modified-Since: b',
    'Cookie: a=1',
    'Cookie: b=2',
    'X-A: 1',
    'X-A: 2',
  ]
  const rig = await openRig(t)
  for (const start of ['GET / HTTP/1.1', 'POST / HTTP/1.1']) {
    const client = await openRaw(t, rig.url)
    client.send(`${start}\r\nHost: a\r\nConnection: close\r\n${fields.join('\r\n')}\r\n\r\n`)
    t.equal((await client.read())?.status, 200)
    const request = rig.seen.at(-1)?.request
    t.equal(request?.header('if-modified-since'), 'a, b', start)
    t.equal(request?.header('cookie'), 'a=1; b=2', start)
    t.equal(request?.header('x-a'), '1, 2', start)
  }
})

t.test('connections beyond the caps are closed at once, and others are none the worse', async (t) => {
  for (const bounds of [{ connectionsMax: 3 }, { connectionsPerAddressMax: 3 }]) {
    const rig = await openRig(t, answer, bounds)
    const open = await Promise.all([1, 2, 3].map(() => openRaw(t, rig.url)))
    await until('all are there', () => rig.server.connectionCount === 3)
    const refused = await openRaw(t, rig.url)
    await refused.closed
    t.equal(rig.server.refused, 1)
    open[0]?.leave()
    await until('one has left', () => rig.server.connectionCount === 2)
    const next = await openRaw(t, rig.url)
    next.send(GET('/next'))
    t.equal((await next.read())?.status, 200)
  }
})

t.test('draining: running replies finish, the rest is closed', async (t) => {
  const answers: (() => void)[] = []
  const rig = await openRig(t, (transaction) => void answers.push(() => answer(transaction)))
  const busy = await openRaw(t, rig.url)
  const idle = await openRaw(t, rig.url)
  busy.send(GET('/busy'))
  await until('it is asked', () => answers.length === 1)
  const drained = rig.server.drain(10_000)
  t.equal((await idle.readAll()).length, 0)
  answers[0]?.()
  const reply = await busy.read()
  t.match([reply?.status, reply?.headers.get('connection')], [200, 'close'])
  await drained
  t.equal(rig.server.connectionCount, 0)
})
