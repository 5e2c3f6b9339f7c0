// Crowds on one cold object: ten thousand followers of one fetch, and slow readers who hold neither the others
// back nor memory without bound.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const FRESH = { 'Cache-Control': 'max-age=600', ETag: '"v1"' }
const FOLLOWERS = 10_000

interface Follower {
  socket: Socket
  /** Resolves when the first bytes are there. */
  begun: Promise<void>
  /** Of the body, when the edge closes the connection. */
  hash: Promise<string>
}

function follow(port: number, path: string): Follower {
  const hash = createHash('sha1')
  const done = Promise.withResolvers<string>()
  const begun = Promise.withResolvers<void>()
  let head: Buffer | null = Buffer.alloc(0)
  const socket = connect(port, '127.0.0.1', () => {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  })
  socket.on('data', (chunk: Buffer) => {
    begun.resolve()
    if (head === null) {
      hash.update(chunk)
      return
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    hash.update(head.subarray(end + 4))
    head = null
  })
  socket.on('error', done.reject)
  socket.on('end', () => done.resolve(hash.digest('hex')))
  return { socket, begun: begun.promise, hash: done.promise }
}

const sha1 = (body: Buffer) => createHash('sha1').update(body).digest('hex')

t.test('ten thousand followers, one origin request', async (t) => {
  const body = bytesOf(1, 40_000)
  const origin = await startOrigin(t, {
    '/x': { body, fields: FRESH, pauseAt: 20_000 },
    '/ping': { body: 'pong', fields: FRESH },
  })
  // It says nothing for as long as it takes all of them to come.
  const origins = [{ id: 'studio', url: origin.url, timeouts: { body: '60s' } }]
  const edge = await startEdge(t, { origin: origin.url, config: { origins } })
  const port = Number(new URL(edge.url).port)
  const crowd: Promise<string>[] = []
  // In batches, so that no connection waits in a full backlog.
  for (let sent = 0; sent < FOLLOWERS; sent += 500) {
    for (let i = 0; i < 500; i++) crowd.push(follow(port, '/x').hash)
    await get(`${edge.url}/ping`)
  }
  origin.resume('/x')
  const hashes = new Set(await Promise.all(crowd))
  t.strictSame([...hashes], [sha1(body)])
  t.equal(origin.count('/x'), 1)
})

t.test('slow readers', async (t) => {
  const body = bytesOf(2, 48 * 2 ** 20)
  const origin = await startOrigin(t, { '/film': { body, fields: FRESH } })
  const edge = await startEdge(t, { origin: origin.url })
  const slow = Array.from({ length: 40 }, () => follow(Number(new URL(edge.url).port), '/film'))
  for (const { socket, begun } of slow) {
    await begun
    socket.pause()
  }
  const rssBefore = await residentBytes(edge.process.pid)
  const quick = await Promise.all(Array.from({ length: 4 }, () => get(`${edge.url}/film`)))
  for (const reply of quick) t.ok(reply.complete && reply.body.equals(body), 'the others are not held back')
  const grown = (await residentBytes(edge.process.pid)) - rssBefore
  t.ok(grown < 300 * 2 ** 20, `the edge grew by ${Math.round(grown / 2 ** 20)} MiB for 48 MiB of film`)
  const [first, ...rest] = slow
  first?.socket.resume()
  t.equal(await first?.hash, sha1(body), 'and a slow one has it all when it reads on')
  for (const { socket } of rest) socket.destroy()
})

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}
