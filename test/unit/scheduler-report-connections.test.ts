// Reports as they come over connections: taken there and then, or handed to the service that the connection stays with.
// Both ways must give the same answers.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import t from 'tap'
import { listenService } from '../../src/http-service.ts'
import { until } from '../kit/until.ts'
import { controlOf } from '../kit/control-service.ts'
import { keyOf, reportOf } from '../kit/scheduler.ts'
import type { TestScope } from '../kit/scope.ts'

/** A control service that listens, and how many requests its routes saw. */
async function listening(t: TestScope) {
  const control = controlOf(t)
  let served = 0
  control.service.server.on('request', () => (served += 1))
  const url = new URL(await listenService(control.service, { host: '127.0.0.1', port: 0 }, 'test'))
  const open = async () => {
    const client = new Client(connect(Number(url.port), '127.0.0.1'))
    t.teardown(() => client.socket.destroy())
    return client
  }
  return { ...control, open, served: () => served }
}

/** Collects what comes. */
class Client {
  readonly socket: Socket
  isClosed = false
  #text = ''

  constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('utf8').setNoDelay()
    socket.on('data', (text: string) => (this.#text += text))
    socket.on('close', () => (this.isClosed = true))
    socket.on('error', () => {})
  }

  /** The next reply: status and body, which has a Content-Length. */
  async reply(): Promise<{ status: number; body: string }> {
    let reply: { status: number; body: string } | undefined
    await until('a reply is whole', async () => {
      reply = this.#take()
      return reply !== undefined
    })
    if (reply === undefined) throw new Error('no reply')
    return reply
  }

  #take(): { status: number; body: string } | undefined {
    const end = this.#text.indexOf('\r\n\r\n') + 4
    const length = Number(/^content-length: (\d+)\r$/im.exec(this.#text)?.[1] ?? Number.NaN)
    if (end < 4 || !(this.#text.length >= end + length)) return undefined
    const status = Number(this.#text.slice(9, 12))
    const body = this.#text.slice(end, end + length)
    this.#text = this.#text.slice(end + length)
    return { status, body }
  }
}

function post(body: string, fields: Record<string, string> = {}): string {
  const all = {
    Host: 'control',
    Authorization: `Bearer ${keyOf('gz-1')}`,
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    ...fields,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST /edge/v1/report HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

const GOOD = JSON.stringify(reportOf('gz-1', { connections: 7 }))

t.test('a report is taken without the service, whole, in pieces, and several at once', async (t) => {
  const { open, served, registry, report, counted } = await listening(t)
  const expected = (await report(keyOf('gz-1'), GOOD)).body
  const before = served()
  const client = await open()
  client.socket.write(post(GOOD))
  t.same(await client.reply(), { status: 200, body: expected })
  t.equal(registry.seen().get('gz-1')?.report.connections, 7)
  for (const byte of Buffer.from(post(GOOD))) {
    client.socket.write(Buffer.of(byte))
    await new Promise(setImmediate)
  }
  t.same(await client.reply(), { status: 200, body: expected })
  const [third, fourth] = [post(GOOD), post(GOOD)]
  client.socket.write(third + fourth.slice(0, 40))
  t.same(await client.reply(), { status: 200, body: expected })
  client.socket.write(fourth.slice(40))
  t.same(await client.reply(), { status: 200, body: expected })
  t.equal(served(), before, 'the service heard of none')
  t.equal(await counted('accepted'), '5')
})

t.test('what is refused is answered as the service answers it', async (t) => {
  const { open, report } = await listening(t)
  const other = JSON.stringify(reportOf('fra-1', {}))
  const bodies = [
    '{',
    '',
    'null',
    '[]',
    '{"id":"gz-1"}',
    other,
    GOOD.replace('"gz-1"', '"gz-1","__proto__":{}'),
  ]
  for (const body of bodies) {
    const expected = await report(keyOf('gz-1'), body)
    const client = await open()
    client.socket.write(post(body))
    t.same(await client.reply(), { status: expected.statusCode, body: expected.body }, body)
  }
})

t.test('what is no plain report goes to the service with its connection', async (t) => {
  const { open, served, counted } = await listening(t)
  const chunked = GOOD.replace(/^/, `${GOOD.length.toString(16)}\r\n`).concat('\r\n0\r\n\r\n')
  const cases: Record<string, { request: string; status: number }> = {
    'the wrong key': { request: post(GOOD, { Authorization: 'Bearer nobody' }), status: 401 },
    'no JSON type': { request: post(GOOD, { 'Content-Type': 'application/xml' }), status: 415 },
    'too long a body': { request: post(`"${'x'.repeat(200_000)}"`), status: 413 },
    'another route': { request: post(GOOD).replace('/report', '/nothing'), status: 404 },
    'a query': { request: post(GOOD).replace('/report', '/report?a=b'), status: 200 },
    'an end of the connection': { request: post(GOOD, { Connection: 'close' }), status: 200 },
    'two lengths': { request: post(GOOD, { 'content-length': '5' }), status: 400 },
    chunks: {
      request: post('', { 'Transfer-Encoding': 'chunked' }).replace(/Content-Length: 0\r\n/, '') + chunked,
      status: 200,
    },
  }
  for (const [name, { request, status }] of Object.entries(cases)) {
    const before = served()
    const client = await open()
    client.socket.write(request)
    t.equal((await client.reply()).status, status, name)
    if (status !== 400) t.equal(served(), before + 1, `${name}: by the service`)
  }
  t.equal(await counted('refused-key'), '1')
  t.equal(await counted('too-large'), '1')
  const client = await open()
  client.socket.write(post(GOOD))
  t.equal((await client.reply()).status, 200)
  const before = served()
  const get = `GET /edge/v1/config HTTP/1.1\r\nHost: control\r\nAuthorization: Bearer ${keyOf('gz-1')}\r\n\r\n`
  client.socket.write(get + post(GOOD))
  t.equal((await client.reply()).status, 200)
  t.equal((await client.reply()).status, 200)
  t.equal(served(), before + 2, 'it stays there')
})

t.test('a fault in taking a report is answered and told of, and ends nothing', async (t) => {
  const { open, registry, served, lines } = await listening(t)
  const taken = registry.record.bind(registry)
  registry.record = () => {
    throw new Error('no room')
  }
  const client = await open()
  client.socket.write(post(GOOD))
  t.equal((await client.reply()).status, 500)
  t.equal(served(), 1, 'by the service')
  t.match(JSON.stringify(lines), 'no room')
  registry.record = taken
  client.socket.write(post(GOOD))
  t.equal((await client.reply()).status, 200)
})

t.test('no connection stays open for ever, and none outlives the service', async (t) => {
  const { open, clock, service } = await listening(t)
  const [silent, partial, idle] = [await open(), await open(), await open()]
  partial.socket.write(post(GOOD) + post(GOOD).slice(0, -1))
  t.equal((await partial.reply()).status, 200)
  idle.socket.write(post(GOOD))
  t.equal((await idle.reply()).status, 200)
  clock.pass(9000)
  await until('half a report ends its connection', async () => partial.isClosed)
  t.notOk(silent.isClosed || idle.isClosed)
  clock.pass(2000)
  await until('no report ends it too', async () => silent.isClosed)
  t.notOk(idle.isClosed)
  await service.close()
  await until('the service ends what is left', async () => idle.isClosed)
})
