// HTTP/1.1 through TLS in the public server: everything that holds for plain connections holds here, where bytes
// come as stream events and no write is over at once. Its clock is the test's.
import { createHash } from 'node:crypto'
import { connect as connectPlain } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { FieldBlock } from '../../src/http/fields.ts'
import type { Transaction } from '../../src/http/transaction.ts'
import { HEAD_TIMEOUT_MS, IDLE_TIMEOUT_MS, SMALL_BODY_BYTES, writeTimeoutMs } from '../../src/http1/limits.ts'
import { HANDSHAKE_TIMEOUT_MS } from '../../src/tls/limits.ts'
import { bytesOf } from '../kit/bytes.ts'
import { openRawTls, openTlsRig } from '../kit/tls-server.ts'
import { until } from '../kit/until.ts'

const FIELDS = new FieldBlock(['X-Shared', 'yes'])
const GET = (target: string, more = '') => `GET ${target} HTTP/1.1\r\nHost: a.example\r\n${more}\r\n`
const LARGE = bytesOf(1, 4 * 2 ** 20)
/** More than the kernel takes for a client that does not read: 32 MiB on its side and 4 MiB on ours by default. */
const HUGE = Buffer.alloc(48 * 2 ** 20, 'x')

/** As many bytes as leave in one write with their head, all of them the target's. */
function bodyOf(target: string): Buffer {
  if (target === '/huge') return HUGE
  return target.startsWith('/large') ? LARGE : Buffer.alloc(SMALL_BODY_BYTES, `${target} `)
}

function answer({ request, reply }: Transaction): void {
  const body = bodyOf(request.target)
  const extra = ['X-Target', request.target]
  reply.send({ status: 200, fields: FIELDS, extra, length: body.length }, body)
}

async function stream({ request, reply }: Transaction): Promise<void> {
  const body = bodyOf(request.target)
  reply.start({ status: 200, fields: FIELDS, extra: [], length: null })
  for (let at = 0; at < body.length; at += 100_000) {
    // One buffer for all chunks, as the disk tier has: it may be filled anew once a write is over.
    lent.set(body.subarray(at, at + 100_000))
    if (!(await reply.write(lent.subarray(0, Math.min(100_000, body.length - at))))) return
    lent.fill(0)
  }
  reply.end()
}
const lent = Buffer.alloc(100_000)

t.test('small, large and streamed replies are what was sent', async (t) => {
  const rig = await openTlsRig(t, (transaction) => {
    if (transaction.request.target.endsWith('streamed')) void stream(transaction)
    else answer(transaction)
  })
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const client = await openRawTls(t, rig.port, { minVersion: version, maxVersion: version })
    for (const target of ['/small', '/large', '/streamed', '/large-streamed', '/small']) {
      client.send(GET(target))
      const reply = await client.read()
      t.ok(reply?.body.equals(bodyOf(target)), `${target} by ${version}`)
      t.equal(reply?.headers.get('x-shared'), 'yes')
    }
  }
  t.ok(rig.seen.every(({ request }) => request.secure && request.version === '1.1'))
})

t.test('replies that a client does not take are not written over by those of others', async (t) => {
  const rig = await openTlsRig(t, answer)
  const count = 300
  const slow = await openRawTls(t, rig.port)
  slow.pause()
  slow.send(Array.from({ length: count }, (_, i) => GET(`/slow-${i}`)).join(''))
  const quick = await Promise.all(Array.from({ length: 8 }, () => openRawTls(t, rig.port)))
  for (let round = 0; round < 20; round++) {
    for (const [i, client] of quick.entries())
      client.send(GET(`/quick-${i}-${round}`) + GET(`/then-${i}-${round}`))
    for (const [i, client] of quick.entries()) {
      for (const target of [`/quick-${i}-${round}`, `/then-${i}-${round}`]) {
        const reply = await client.read()
        if (reply?.body.equals(bodyOf(target)) !== true) t.fail(`the body of ${target}`)
      }
    }
  }
  slow.resume()
  let wrong = 0
  for (let i = 0; i < count; i++) {
    const reply = await slow.read()
    if (reply?.body.equals(bodyOf(`/slow-${i}`)) !== true) wrong++
  }
  t.equal(wrong, 0, `of ${count} replies`)
})

t.test('requests sent without reading the answers wait in the client', async (t) => {
  const rig = await openTlsRig(t, answer)
  const greedy = await openRawTls(t, rig.port)
  greedy.pause()
  greedy.send(GET('/huge'))
  await until('it is asked', () => rig.seen.length === 1)
  const flood = 64 * 2 ** 20
  const requests = Buffer.from(GET('/x').repeat(10_000))
  for (let sent = 0; sent < flood; sent += requests.length) greedy.socket.write(requests)
  const other = await openRawTls(t, rig.port)
  for (let i = 0; i < 1000; i++) {
    other.send(GET('/o'))
    await other.read()
  }
  const waiting = greedy.socket.writableLength
  t.ok(waiting > flood - 24 * 2 ** 20, `${waiting} bytes still wait in the client`)
  t.equal(rig.targets().filter((target) => target === '/x').length, 0)
  greedy.leave()
})

t.test('a handed-over connection goes on where it was, however much came with the head', async (t) => {
  const rig = await openTlsRig(t, (transaction) => {
    const { request, reply } = transaction
    const { body } = request
    if (body === null) {
      answer(transaction)
      return
    }
    const hash = createHash('sha256')
    body.on('data', (chunk: Buffer) => hash.update(chunk))
    body.on('end', () => {
      const text = Buffer.from(hash.digest('hex'))
      reply.send({ status: 200, fields: FIELDS, extra: [], length: text.length }, text)
    })
  })
  const upload = bytesOf(2, 2 ** 20)
  const client = await openRawTls(t, rig.port)
  client.send(
    Buffer.concat([
      Buffer.from(
        `${GET('/1')}POST /2 HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${upload.length}\r\n\r\n`,
      ),
      upload,
      Buffer.from(GET('/3')),
    ]),
  )
  t.equal((await client.read())?.headers.get('x-target'), '/1')
  t.equal((await client.read())?.body.toString(), createHash('sha256').update(upload).digest('hex'))
  t.equal((await client.read())?.headers.get('x-target'), '/3')
  t.strictSame(rig.targets(), ['/1', '/2', '/3'])
  t.ok(rig.seen.every(({ request }) => request.secure))
})

t.test('a client may close its side and still read its answers', async (t) => {
  const rig = await openTlsRig(t, (transaction) => void setImmediate(answer, transaction))
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const client = await openRawTls(t, rig.port, { minVersion: version, maxVersion: version })
    client.socket.end(GET('/1') + GET('/2'))
    for (const target of ['/1', '/2']) t.equal((await client.read())?.headers.get('x-target'), target)
    t.equal((await client.readAll()).length, 0)
  }
  await until('they are gone', () => rig.server.connectionCount === 0)
})

t.test('a client that leaves is noticed while its answer is awaited', async (t) => {
  const rig = await openTlsRig(t, () => {})
  const plain = connectPlain({ host: '127.0.0.1', port: rig.port })
  await once(plain, 'connect')
  const client = await openRawTls(t, rig.port, { socket: plain })
  client.send(GET('/1') + GET('/2'))
  const [transaction] = await until('it is asked', () => rig.seen.length > 0 && rig.seen)
  const finished = new Promise<boolean>((resolve) => {
    if (transaction !== undefined) transaction.reply.onFinish = resolve
  })
  plain.resetAndDestroy()
  t.equal(await finished, false)
  t.equal(await transaction?.reply.write(LARGE), false)
  await until('it is gone', () => rig.server.connectionCount === 0)
  t.equal(rig.seen.length, 1)
})

t.test('deadlines: a head that does not end, silence, a client that does not read', async (t) => {
  const rig = await openTlsRig(t, answer)
  // In TLS 1.2 the server has the last word of a handshake: its clock runs when the client goes on.
  const dripping = await openRawTls(t, rig.port, { maxVersion: 'TLSv1.2' })
  dripping.send('GET / HTTP/1.1\r\n')
  const silent = await openRawTls(t, rig.port, { maxVersion: 'TLSv1.2' })
  rig.pass(HEAD_TIMEOUT_MS + 1)
  t.equal((await dripping.read())?.status, 408)
  t.equal((await silent.readAll()).length, 0)
  const stalled = await openRawTls(t, rig.port)
  stalled.pause()
  stalled.send(GET('/huge'))
  await until('it is asked', () => rig.seen.length === 1)
  rig.pass(writeTimeoutMs(HUGE.length) + IDLE_TIMEOUT_MS)
  await until('it is closed', () => rig.server.connectionCount === 0)
  stalled.resume()
  t.ok((await stalled.readAll()).length < HUGE.length)
})

t.test(
  'a handshake that does not come, or comes byte by byte, is cut; one that is none at once',
  async (t) => {
    const rig = await openTlsRig(t, answer)
    const open = async () => {
      const socket = connectPlain({ host: '127.0.0.1', port: rig.port })
      t.teardown(() => socket.destroy())
      await once(socket, 'connect')
      return { socket, closed: new Promise((resolve) => socket.on('error', () => {}).once('close', resolve)) }
    }
    const silent = await open()
    const dripping = await open()
    dripping.socket.write(Buffer.from([0x16, 0x03, 0x01]))
    await until('both are counted', () => rig.server.connectionCount === 2)
    rig.pass(HANDSHAKE_TIMEOUT_MS - 2000)
    dripping.socket.write(Buffer.from([0x01]))
    const plain = await open()
    plain.socket.write(GET('/'))
    await plain.closed
    t.equal(rig.server.connectionCount, 2, 'the others have time left')
    rig.pass(2001)
    await Promise.all([silent.closed, dripping.closed])
    await until('all are gone', () => rig.server.connectionCount === 0)
    t.equal(rig.server.handshakesFailed, 3)
    t.equal(rig.seen.length, 0)
  },
)

t.test('connections in their handshake count for the caps', async (t) => {
  const rig = await openTlsRig(t, answer, { connectionsPerAddressMax: 2 })
  const waiting = connectPlain({ host: '127.0.0.1', port: rig.port })
  t.teardown(() => waiting.destroy())
  await once(waiting, 'connect')
  const served = await openRawTls(t, rig.port)
  const refused = connectPlain({ host: '127.0.0.1', port: rig.port }).on('error', () => {})
  await once(refused, 'close')
  t.equal(rig.server.refused, 1)
  waiting.destroy()
  await until('one has left', () => rig.server.connectionCount === 1)
  const next = await openRawTls(t, rig.port)
  for (const client of [served, next]) {
    client.send(GET('/x'))
    t.equal((await client.read())?.status, 200)
  }
})

t.test('draining: running replies finish, the rest is closed', async (t) => {
  const answers: (() => void)[] = []
  const rig = await openTlsRig(t, (transaction) => void answers.push(() => answer(transaction)))
  const busy = await openRawTls(t, rig.port)
  const idle = await openRawTls(t, rig.port)
  const shaking = connectPlain({ host: '127.0.0.1', port: rig.port }).on('error', () => {})
  await once(shaking, 'connect')
  busy.send(GET('/busy'))
  await until('it is asked', () => answers.length === 1)
  const drained = rig.server.drain(10_000)
  t.equal((await idle.readAll()).length, 0)
  await once(shaking, 'close')
  answers[0]?.()
  const reply = await busy.read()
  t.match([reply?.status, reply?.headers.get('connection')], [200, 'close'])
  await drained
  t.equal(rig.server.connectionCount, 0)
})
