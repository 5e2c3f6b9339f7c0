// The public server reads all clients into one buffer and writes small replies from one other: no client may
// ever see or be taken for another, however their bytes are cut and however slowly they read.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import type { Transaction } from '../../src/http/transaction.ts'
import { SMALL_BODY_BYTES } from '../../src/http1/limits.ts'
import { createHttpServer } from '../../src/listener/http-server.ts'
import { openRaw } from '../kit/raw-client.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

const FIELDS = new FieldBlock(['X-Shared', 'yes'])
const ADDED = new FieldBlock(['X-Added', 'too'])
const GET = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a.example\r\n\r\n`

/** As many bytes as leave in one write with their head, all of them the target's. */
function bodyOf(target: string, bytes = SMALL_BODY_BYTES): Buffer {
  return Buffer.alloc(bytes, `${target} `)
}

function answer({ request, reply }: Transaction): void {
  const body = bodyOf(request.target)
  const extra = ['X-Target', request.target]
  reply.send({ status: 200, fields: FIELDS, added: ADDED, extra, length: body.length }, body)
}

async function openServer(t: TestScope, handler: (transaction: Transaction) => void): Promise<string> {
  const server = createHttpServer({ clock: systemClock, handler })
  const port = await server.listen({ host: '127.0.0.1', port: 0 }, 'listen')
  t.teardown(() => server.drain(0))
  return `http://127.0.0.1:${port}`
}

t.test('heads that arrive a byte at a time, turn and turn about', async (t) => {
  const url = await openServer(t, answer)
  const clients = await Promise.all(
    ['/first', '/second', '/third'].map(async (target) => ({
      target,
      client: await openRaw(t, url),
    })),
  )
  for (let at = 0; at < GET('/second').length + 1; at++) {
    for (const { target, client } of clients) {
      client.send(GET(target).slice(at, at + 1))
      // The server reads this byte before the next client's comes.
      await new Promise(setImmediate)
    }
  }
  for (const { target, client } of clients) {
    const reply = await client.read()
    t.equal(reply?.headers.get('x-target'), target)
    t.equal(reply?.headers.get('x-shared'), 'yes')
    t.equal(reply?.headers.get('x-added'), 'too')
    t.ok(reply?.body.equals(bodyOf(target)), `the body of ${target}`)
  }
})

t.test('a pipelined request waits for its turn while others are read', async (t) => {
  const waiting: Transaction[] = []
  const url = await openServer(t, (transaction) => {
    if (transaction.request.target === '/slow') waiting.push(transaction)
    else answer(transaction)
  })
  const pipelining = await openRaw(t, url)
  pipelining.send(GET('/slow') + GET('/behind') + GET('/last').slice(0, 20))
  await until('it is asked', () => waiting.length === 1)
  const other = await openRaw(t, url)
  for (let i = 0; i < 20; i++) {
    other.send(GET(`/other-${i}-with-a-longer-target`))
    t.equal((await other.read())?.headers.get('x-target'), `/other-${i}-with-a-longer-target`)
  }
  for (const transaction of waiting) answer(transaction)
  t.equal((await pipelining.read())?.headers.get('x-target'), '/slow')
  t.equal((await pipelining.read())?.headers.get('x-target'), '/behind')
  pipelining.send(GET('/last').slice(20))
  t.equal((await pipelining.read())?.headers.get('x-target'), '/last')
})

t.test('replies that a client does not take are not written over by those of others', async (t) => {
  const url = await openServer(t, answer)
  const count = 600
  const slow = await openRaw(t, url)
  slow.pause()
  slow.send(Array.from({ length: count }, (_, i) => GET(`/slow-${i}`)).join(''))
  const quick = await openRaw(t, url)
  for (let i = 0; i < 50; i++) {
    quick.send(GET(`/quick-${i}`))
    const reply = await quick.read()
    t.ok(reply?.body.equals(bodyOf(`/quick-${i}`)))
  }
  slow.resume()
  let wrong = 0
  for (let i = 0; i < count; i++) {
    const reply = await slow.read()
    if (reply?.body.equals(bodyOf(`/slow-${i}`)) !== true) wrong++
  }
  t.equal(wrong, 0, `of ${count} replies`)
})

t.test('a connection handed to the full parser keeps its bytes while others are read', async (t) => {
  // Later: answered before its end is seen, a request in the full parser closes its connection.
  const url = await openServer(t, (transaction) => void setImmediate(answer, transaction))
  const odd = await openRaw(t, url)
  const plain = await openRaw(t, url)
  odd.send(`${GET('/one')}DELETE /two HTTP/1.1\r\nHost: a.example\r\nX-Cut: he`)
  t.equal((await odd.read())?.headers.get('x-target'), '/one')
  plain.send(GET('/plain-with-a-longer-target-that-lies-over-it'))
  t.equal((await plain.read())?.status, 200)
  odd.send(`re\r\n\r\n${GET('/three')}`)
  t.equal((await odd.read())?.headers.get('x-target'), '/two')
  t.equal((await odd.read())?.headers.get('x-target'), '/three')
})

t.test('a head larger than the lent space', async (t) => {
  const long = new FieldBlock(['X-Long', 'y'.repeat(3 * SMALL_BODY_BYTES)])
  const url = await openServer(t, ({ request, reply }) => {
    const body = bodyOf(request.target)
    reply.send({ status: 200, fields: long, extra: [], length: body.length }, body)
  })
  const client = await openRaw(t, url)
  client.send(GET('/x') + GET('/y'))
  for (const target of ['/x', '/y']) {
    const reply = await client.read()
    t.equal(reply?.headers.get('x-long')?.length, 3 * SMALL_BODY_BYTES)
    t.ok(reply?.body.equals(bodyOf(target)))
  }
})
