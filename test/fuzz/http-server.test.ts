// The public server, hand-over and all, against a plain strict node:http: whatever bytes come, the requests it
// answers are those that node:http sees, read alike, and every connection gets an answer or a close in time.
// A few seconds of it in each test run; for more, set EDGEWARD_FUZZ_SECONDS and run the file with node itself.
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { systemClock, systemRandom } from '../../src/clock.ts'
import { NO_FIELDS } from '../../src/http/fields.ts'
import type { Transaction } from '../../src/http/transaction.ts'
import { createHttpServer } from '../../src/listener/http-server.ts'
import { listen } from '../../src/net/listen.ts'

const SECONDS = Number(process.env['EDGEWARD_FUZZ_SECONDS'] ?? '3')
const AT_ONCE = 16
/** No deadline of either server is shorter: reaching it means that a connection hung. */
const ANSWER_WITHIN_MS = 8000
const LOOPBACK = { host: '127.0.0.1', port: 0 }

/** One request as a server understood it: what matters of it, as text. */
type Seen = string

/** By the mark that each conversation's requests carry. */
const seenByUs = new Map<number, Seen[]>()
const seenByNode = new Map<number, Seen[]>()

const BODY = Buffer.from('ok')
const FIELDS = ['range', 'x-a', 'cookie', 'if-none-match', 'referer', 'origin']

const ours = createHttpServer({
  clock: systemClock,
  handler: (transaction) => answer(transaction),
})

function answer({ request, reply }: Transaction): void {
  const mark = Number(request.header('x-mark') ?? '0')
  const fields = FIELDS.map((name) => request.header(name) ?? null)
  note(seenByUs, mark, request.method, request.target, request.host, fields)
  reply.send(
    { status: 200, fields: NO_FIELDS, extra: [], length: BODY.length },
    request.method === 'HEAD' ? null : BODY,
  )
}

const plain = createServer({ insecureHTTPParser: false, joinDuplicateHeaders: true }, (request, response) => {
  const { headers } = request
  const fields = FIELDS.map((name) => headers[name] ?? null)
  note(
    seenByNode,
    Number(headers['x-mark'] ?? '0'),
    request.method ?? '',
    request.url ?? '',
    headers.host ?? '',
    fields,
  )
  response.end(BODY)
})

function note(
  seen: Map<number, Seen[]>,
  mark: number,
  method: string,
  target: string,
  host: string,
  fields: readonly unknown[],
): void {
  // More than one Host: ours refuses what node:http joins.
  if (host.includes(', ')) return
  // An absolute target says which host it is for (RFC 9112 §3.2.2); node:http leaves it as it is, and any other
  // form too, which ours refuses.
  const absolute = /^https?:\/\/([^/?#@]+)([/?][^#]*)?$/i.exec(target)
  if (absolute === null && !target.startsWith('/') && target !== '*') return
  const path = absolute === null ? target : (absolute[2] ?? '').replace(/^(?!\/)/, '/')
  const list = seen.get(mark) ?? []
  list.push(JSON.stringify([method, path, absolute?.[1] ?? host, fields]))
  seen.set(mark, list)
}

/** A generator of its own, so that a failure can be had again from the seed it prints. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const PIECES = [
  'GET / HTTP/1.1\r\n',
  'GET /a?b=c HTTP/1.1\r\n',
  'HEAD /h HTTP/1.1\r\n',
  'OPTIONS /o HTTP/1.1\r\n',
  'POST /p HTTP/1.1\r\n',
  'GET /old HTTP/1.0\r\n',
  'GET http://b.example/abs HTTP/1.1\r\n',
  'Host: a.example\r\n',
  'Host: a.example\r\n',
  'Host: a.example\r\n',
  'Host: b.example\r\n',
  'Host : c.example\r\n',
  'Range: bytes=0-1\r\n',
  'Range: bytes=2-3\r\n',
  'X-A: one\r\n',
  'X-A:two  \r\n',
  'X-A: a\r\n b\r\n',
  'X-A: a\0b\r\n',
  'X-A: h\xe9\r\n',
  'Cookie: a=b\r\n',
  'If-None-Match: "a"\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Connection: upgrade\r\nUpgrade: h2c\r\n',
  'Expect: 100-continue\r\n',
  'Expect: 200-maybe\r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 5\r\n\r\nhello',
  'Content-Length: 30\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x',
  'Content-Length: +5\r\n',
  'Content-Length: 5, 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'Transfer-Encoding: xchunked\r\n',
  'Transfer-Encoding : chunked\r\n',
  '\r\n',
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\r',
  '\0',
  '0\r\n\r\n',
]

/** Heads and bodies in a row, mostly in a sensible order, with a byte or two damaged. */
function makeBytes(random: (below: number) => number): string {
  let text = ''
  const requests = 1 + random(3)
  for (let i = 0; i < requests; i++) {
    text += PIECES[random(random(4) === 0 ? PIECES.length : 7)]
    text += 'Host: a.example\r\n'.repeat(random(12) === 0 ? random(3) : 1)
    for (let fields = random(4); fields > 0; fields--) text += PIECES[7 + random(PIECES.length - 7)]
    text += '\r\n'
  }
  for (let changes = random(2) === 0 ? random(4) : 0; changes > 0; changes--) {
    const at = random(text.length)
    const put = [String.fromCharCode(random(256)), '', '\r', '\n', ' ', ':'][random(6)] ?? ''
    text = text.slice(0, at) + put + text.slice(at + random(2))
  }
  return text
}

/** Sends it in pieces, closes its side, and waits for the end; false when that did not come. */
async function converse(port: number, text: string, random: (below: number) => number): Promise<boolean> {
  const socket = connect({ ...LOOPBACK, port, allowHalfOpen: true, noDelay: true })
  const closed = new Promise<boolean>((resolve) => {
    socket.on('close', () => resolve(true))
    socket.setTimeout(ANSWER_WITHIN_MS, () => resolve(false))
  })
  socket.on('error', () => {})
  socket.on('end', () => socket.end())
  socket.resume()
  const pieces = random(3) === 0 ? 1 + random(5) : 1
  const length = Math.ceil(text.length / pieces)
  for (let at = 0; at < text.length; at += length) {
    socket.write(Buffer.from(text.slice(at, at + length), 'latin1'))
    if (pieces > 1) await new Promise((resolve) => setImmediate(resolve))
  }
  // Half of them wait with closing until they have their answer, as real clients do.
  if (random(2) === 0) socket.end()
  else {
    const answered = once(socket, 'data').catch(() => {})
    await Promise.race([answered, closed, new Promise((resolve) => setTimeout(resolve, 30).unref())])
    socket.end()
  }
  const ended = await closed
  socket.destroy()
  return ended
}

t.setTimeout((SECONDS + 60) * 1000)

t.test(`any bytes at all, for ${SECONDS} s`, async (t) => {
  const port = await ours.listen(LOOPBACK, 'listen')
  const plainPort = await listen(plain, LOOPBACK, 'plain')
  t.teardown(async () => {
    plain.close()
    plain.closeAllConnections()
    await ours.drain(0)
  })
  const first = Math.floor(systemRandom() * 2 ** 31)
  const until = systemClock.monotonic() + SECONDS * 1000
  let run = 0
  let answered = 0

  const worker = async () => {
    while (systemClock.monotonic() < until) {
      const mark = ++run
      const seed = first + mark * 7919
      const text = makeBytes(randomOf(seed)).replaceAll(
        'Host: a.example\r\n',
        `Host: a.example\r\nX-Mark: ${mark}\r\n`,
      )
      const says = `seed ${seed}: ${JSON.stringify(text)}`
      const ends = await Promise.all([port, plainPort].map((to) => converse(to, text, randomOf(seed + 1))))
      const us = seenByUs.get(mark) ?? []
      const node = seenByNode.get(mark) ?? []
      seenByUs.delete(mark)
      seenByNode.delete(mark)
      answered += us.length
      if (ends[0] !== true) t.fail(`no answer and no close: ${says}`)
      // Ours closes where node:http goes on, behind a request with a body: a prefix.
      if (JSON.stringify(us) !== JSON.stringify(node.slice(0, us.length))) {
        t.strictSame(us, node, `read differently: ${says}`)
        return
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  t.ok(run > 100 && answered > run / 10, `${run} conversations, ${answered} requests answered`)
  t.equal(ours.connectionCount, 0)
})
