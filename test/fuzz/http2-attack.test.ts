// HTTP/2 under attack, frame by frame: what must be refused is refused before any work is done for it, floods end
// their connection, stalls end in time, and the server answers others as before. Its clock is the test's.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { NO_FIELDS } from '../../src/http/fields.ts'
import type { Transaction } from '../../src/http/transaction.ts'
import {
  FIRST_REQUEST_TIMEOUT_MS,
  INVALID_FRAMES_MAX,
  PIECE_BYTES_MAX,
  REJECTED_STREAMS_MAX,
  REQUEST_TIMEOUT_MS,
  RESETS_PER_SECOND,
  RESET_BURST,
  SESSION_IDLE_TIMEOUT_MS,
  STREAMS_MAX,
} from '../../src/http2/limits.ts'
import { writeTimeoutMs } from '../../src/http1/limits.ts'
import { FLAG, TYPE, fieldBlock, frame, get, openFrames, uint32 } from '../kit/http2-frames.ts'
import type { FrameClient } from '../kit/http2-frames.ts'
import type { TestScope } from '../kit/scope.ts'
import { openTlsRig } from '../kit/tls-server.ts'
import type { TlsRig } from '../kit/tls-server.ts'
import { until } from '../kit/until.ts'

const OK = Buffer.from('ok')
const LARGE = Buffer.alloc(4 * 2 ** 20, 'x')
const NO_WINDOW = Buffer.concat([Buffer.from([0, 4]), uint32(0)])
/** Room for all streams together, so that each has its own window alone. */
const WIDE = frame(TYPE.windowUpdate, 0, 0, uint32(2 ** 30))

/** `/ok` is answered at once, `/large` streamed, `/held` never; `/body` when its body is there. */
async function answer({ request, reply }: Transaction): Promise<void> {
  if (request.target === '/held') return
  if (request.target === '/large') {
    reply.start({ status: 200, fields: NO_FIELDS, extra: [], length: LARGE.length })
    if (await reply.write(LARGE)) reply.end()
    return
  }
  try {
    if (request.target === '/body') for await (const _chunk of request.body ?? []);
  } catch {
    return
  }
  reply.send({ status: 200, fields: NO_FIELDS, extra: [], length: OK.length }, OK)
}

function open(t: TestScope): Promise<TlsRig> {
  return openTlsRig(t, (transaction) => void answer(transaction))
}

async function stillServes(t: TestScope & { equal: Tap['equal'] }, rig: TlsRig): Promise<void> {
  const client = await openFrames(t, rig.port)
  t.equal(await client.outcome(client.request(get('/ok'))), 200, 'serves others')
  client.socket.destroy()
}
type Tap = typeof import('tap').default

type Pairs = readonly (readonly [string, string])[]

function without(...names: string[]): Pairs {
  return get('/x').filter(([name]) => !names.includes(name))
}

/** Requests that are none: reset or 400, and never seen by the flow. */
const MALFORMED: Record<string, Pairs> = {
  'a second :path': [...get('/x'), [':path', '/y']],
  'a second :method': [...get('/x'), [':method', 'POST']],
  'a second :authority': [...get('/x'), [':authority', 'b.example']],
  'a pseudo-field behind a field': [...without(':path'), ['x-a', 'b'], [':path', '/x']],
  'an unknown pseudo-field': [...get('/x'), [':x', 'y']],
  'a pseudo-field of responses': [...get('/x'), [':status', '200']],
  ':protocol without leave': [...get('/x', [], { ':method': 'CONNECT' }), [':protocol', 'websocket']],
  'no :method': without(':method'),
  'no :scheme': without(':scheme'),
  'no :path': without(':path'),
  'no host at all': without(':authority'),
  'an empty :authority': get('/x', [], { ':authority': '' }),
  'an :authority with a user': get('/x', [], { ':authority': 'u@a.example' }),
  'an :authority with a path': get('/x', [], { ':authority': 'a.example/b' }),
  'an :authority with a line break': get('/x', [], { ':authority': 'a.example\r\nX-A: b' }),
  'another Host': get('/x', [['host', 'b.example']]),
  'two Hosts': get('/x', [
    ['host', 'a.example'],
    ['host', 'a.example'],
  ]),
  'another scheme': get('/x', [], { ':scheme': 'http' }),
  'a scheme that is a URL': get('/x', [], { ':scheme': 'https://b.example/?' }),
  'an empty :path': get(''),
  'an absolute :path': get('http://b.example/x'),
  'a :path without a slash': get('x'),
  'a :path that is *': get('*'),
  'a :path with a space': get('/x HTTP/1.1'),
  'a :path with a line break': get('/x HTTP/1.1\r\nHost: b.example\r\n\r\n'),
  'a :path with a NUL': get('/x\0'),
  'a :path with a fragment': get('/x#y'),
  'a :path with a high byte': get('/\xe9'),
  CONNECT: [
    [':method', 'CONNECT'],
    [':authority', 'a.example:443'],
  ],
  'an empty :method': get('/x', [], { ':method': '' }),
  'a :method with a space': get('/x', [], { ':method': 'GET /y' }),
  'a :method with a line break': get('/x', [], { ':method': 'GET / HTTP/1.1\r\nX-A:' }),
  'a name in capitals': get('/x', [['X-A', 'b']]),
  Connection: get('/x', [['connection', 'x-a']]),
  'Keep-Alive': get('/x', [['keep-alive', 'timeout=5']]),
  'Proxy-Connection': get('/x', [['proxy-connection', 'keep-alive']]),
  'Transfer-Encoding': get('/x', [['transfer-encoding', 'chunked']]),
  Upgrade: get('/x', [['upgrade', 'h2c']]),
  'TE other than trailers': get('/x', [['te', 'gzip']]),
  'a Content-Length without a body': get('/x', [['content-length', '5']]),
  'a Content-Length that is no number': get('/x', [['content-length', '+5']]),
  'two Content-Lengths': get('/x', [
    ['content-length', '0'],
    ['content-length', '0'],
  ]),
  'more fields than are taken': get(
    '/x',
    Array.from({ length: 200 }, (_, i): [string, string] => [`x-${i}`, 'y']),
  ),
}

t.test('requests that are none are not seen by the flow', async (t) => {
  const rig = await open(t)
  for (const [what, pairs] of Object.entries(MALFORMED)) {
    const client = await openFrames(t, rig.port)
    const outcome = await client.outcome(client.request(pairs))
    t.ok(outcome === 'reset' || outcome === 400, `${what}: ${outcome}`)
    t.equal(await client.outcome(client.request(get('/ok'))), 200, `behind ${what}`)
    client.socket.destroy()
  }
  t.ok(rig.targets().every((target) => target === '/ok'))
})

t.test('fields with bytes that no field may have are not passed on', async (t) => {
  const rig = await open(t)
  for (const [name, value] of [
    ['x-a', 'b\r\nInjected: c'],
    ['x-a', 'b\nInjected: c'],
    ['x-a', 'b\rInjected: c'],
    ['x-a', 'b\0c'],
    ['x-a', 'b\x7fc'],
    ['x a', 'b'],
    ['x:a', 'b'],
    ['x\r\ninjected', 'b'],
    ['', 'b'],
  ] as const) {
    const client = await openFrames(t, rig.port)
    const outcome = await client.outcome(client.request(get('/ok', [[name, value]])))
    t.ok(
      outcome === 'reset' || outcome === 400 || outcome === 200,
      `${JSON.stringify([name, value])}: ${outcome}`,
    )
    client.socket.destroy()
  }
  for (const { request } of rig.seen) t.strictSame(request.fields(), ['host', 'a.example'])
})

t.test('what is sound is read as over HTTP/1.1', async (t) => {
  const rig = await open(t)
  const client = await openFrames(t, rig.port)
  const fields: Pairs = [
    ['cookie', 'a=1'],
    ['cookie', 'b=2'],
    ['x-a', '1'],
    ['x-a', '2'],
    ['te', 'trailers'],
    ['x-high', '\xe9'],
    ['host', 'A.EXAMPLE'],
  ]
  t.equal(await client.outcome(client.request(get('/ok?a=b', fields))), 200)
  t.equal(await client.outcome(client.request([...without(':authority'), ['host', 'b.example']])), 200)
  t.equal(await client.outcome(client.request(get('*', [], { ':method': 'OPTIONS' }))), 200)
  const [first, second, third] = rig.seen.map(({ request }) => request)
  t.match(
    [first?.version, first?.secure, first?.method, first?.target, first?.host],
    ['2', true, 'GET', '/ok?a=b', 'a.example'],
  )
  t.equal(first?.header('cookie'), 'a=1; b=2')
  t.equal(first?.header('x-a'), '1, 2')
  t.equal(first?.header('x-high'), '\xe9')
  t.equal(first?.header('host'), 'a.example')
  t.equal(first?.body, null)
  t.equal(second?.host, 'b.example')
  t.match([third?.method, third?.target], ['OPTIONS', '*'])
})

/** Sends pieces until the server ends the connection, or all are gone. */
async function flood(client: FrameClient, count: number, piece: (i: number) => Uint8Array): Promise<void> {
  for (let i = 0; i < count && !client.ended; i++) {
    client.send(piece(i))
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

const times = (count: number, bytes: Uint8Array) => Buffer.concat(Array.from({ length: count }, () => bytes))
const EMPTY_PING = frame(TYPE.ping, 0, 0, Buffer.alloc(8))

/** Each must end the connection; `seen` says how many requests the flow may have got out of it at most. */
const FLOODS: Record<string, { seen: number; send: (client: FrameClient) => Promise<void> }> = {
  'requests taken back at once': {
    seen: RESET_BURST + 5 * RESETS_PER_SECOND,
    send: (client) =>
      flood(client, 5000, () => {
        const stream = client.request(get('/held'))
        return frame(TYPE.rstStream, 0, stream, uint32(8))
      }),
  },
  'requests that make the server reset them': {
    seen: RESET_BURST,
    send: (client) =>
      flood(client, 5000, () => {
        const stream = client.request(get('/held'), false)
        return frame(TYPE.windowUpdate, 0, stream, uint32(0))
      }),
  },
  'requests beyond those at a time': {
    seen: STREAMS_MAX,
    send: (client) =>
      flood(client, STREAMS_MAX + 2 * REJECTED_STREAMS_MAX, () => {
        client.request(get('/held'))
        return Buffer.alloc(0)
      }),
  },
  'a head without end': {
    seen: 0,
    send: (client) => {
      const stream = client.nextStream()
      client.send(frame(TYPE.headers, FLAG.endStream, stream, fieldBlock(get('/x'))))
      return flood(client, 5000, (i) => frame(TYPE.continuation, 0, stream, fieldBlock([[`x-${i}`, 'y']])))
    },
  },
  'a head without end, in empty pieces': {
    seen: 0,
    send: (client) => {
      const stream = client.nextStream()
      client.send(frame(TYPE.headers, FLAG.endStream, stream, fieldBlock(get('/x'))))
      return flood(client, 5000, () => frame(TYPE.continuation, 0, stream))
    },
  },
  'empty data': {
    seen: 1,
    send: (client) => {
      const stream = client.request(get('/body', [], { ':method': 'POST' }), false)
      return flood(client, 10 * INVALID_FRAMES_MAX, () => frame(TYPE.data, 0, stream))
    },
  },
  priorities: {
    seen: 0,
    send: (client) => {
      const one = (i: number) => frame(TYPE.priority, 0, 2 * i + 1, Buffer.concat([uint32(0), Buffer.of(1)]))
      return flood(client, 20_000, one)
    },
  },
  'frames of no known type': {
    seen: 0,
    send: (client) => flood(client, 200, () => times(100, frame(0x42, 0, 0, Buffer.alloc(4)))),
  },
  'too many settings in one frame': {
    seen: 0,
    send: (client) =>
      flood(client, 1, () => frame(TYPE.settings, 0, 0, times(33, Buffer.of(0, 1, 0, 0, 0, 1)))),
  },
}

for (const [what, { seen, send }] of Object.entries(FLOODS)) {
  t.test(`a flood ends its connection: ${what}`, async (t) => {
    const rig = await open(t)
    const client = await openFrames(t, rig.port)
    await send(client)
    await client.closed
    t.ok(rig.seen.length <= seen, `${rig.seen.length} requests were seen`)
    await until('what was begun is over', () => rig.seen.every(({ reply }) => reply.closed))
    await until('it is gone', () => rig.server.connectionCount === 0)
    await stillServes(t, rig)
  })
}

t.test('who asks for answers without reading them is cut off', async (t) => {
  const rig = await open(t)
  for (const one of [EMPTY_PING, frame(TYPE.settings, 0, 0)]) {
    const client = await openFrames(t, rig.port)
    client.socket.pause()
    const piece = times(2000, one)
    await flood(client, 2000, () => piece)
    await until('it is cut', () => rig.server.connectionCount === 0)
    client.socket.destroy()
  }
  await stillServes(t, rig)
})

t.test('a head of 16 KiB at most, also from clients that never confirmed the bound', async (t) => {
  const rig = await open(t)
  const client = await openFrames(t, rig.port)
  t.equal(await client.outcome(client.request(get('/ok', [['x-a', 'b'.repeat(15_000)]]))), 200)
  const stream = client.nextStream()
  const block = fieldBlock(
    get('/ok', [
      ['x-a', 'b'.repeat(9000)],
      ['x-b', 'b'.repeat(9000)],
    ]),
  )
  client.send(
    frame(TYPE.headers, FLAG.endStream, stream, block.subarray(0, 16_384)),
    frame(TYPE.continuation, FLAG.endHeaders, stream, block.subarray(16_384)),
  )
  t.equal(await client.outcome(stream), 'other', 'it is 431')
  // 4 KB in the table, named again with one byte each: 11,000 of them would be 43 MB.
  const entry = Buffer.concat([
    Buffer.of(0x40, 1),
    Buffer.from('z'),
    Buffer.of(127, 0x81, 0x1e),
    Buffer.alloc(3968, 'b'),
  ])
  const bomb = client.nextStream()
  client.send(
    frame(
      TYPE.headers,
      FLAG.endStream | FLAG.endHeaders,
      bomb,
      Buffer.concat([fieldBlock(get('/x')), entry, Buffer.alloc(11_000, 0xbe)]),
    ),
  )
  t.equal(await client.outcome(bomb), 'reset')
  t.ok(await client.alive())
  t.strictSame(rig.targets(), ['/ok'])
})

t.test('windows that stay shut: each stream ends in time, the rest of the connection goes on', async (t) => {
  const rig = await open(t)
  const client = await openFrames(t, rig.port)
  client.send(WIDE)
  const stalled = client.request(get('/large'))
  t.equal(await client.outcome(stalled), 200)
  await client.find(({ type, stream }) => type === TYPE.data && stream === stalled)
  rig.pass(writeTimeoutMs(PIECE_BYTES_MAX) - 5000)
  const other = client.request(get('/ok'))
  t.equal(await client.outcome(other), 200)
  await client.find(
    ({ type, flags, stream }) => type === TYPE.data && stream === other && flags === FLAG.endStream,
  )
  t.equal(rig.seen[0]?.reply.closed, false, 'there is time left')
  rig.pass(5001)
  const reset = await client.find(({ type }) => type === TYPE.rstStream)
  t.strictSame([reset?.stream, reset?.payload.readUInt32BE(0)], [stalled, 8])
  t.equal(rig.seen[0]?.reply.closed, true)
  t.ok(await client.alive())
})

t.test('a hundred streams with windows that never open end with their connection', async (t) => {
  const rig = await open(t)
  const client = await openFrames(t, rig.port, NO_WINDOW)
  for (let i = 0; i < STREAMS_MAX; i++) client.request(get('/large'))
  await until('all are asked', () => rig.seen.length === STREAMS_MAX)
  rig.pass(writeTimeoutMs(PIECE_BYTES_MAX) + 1)
  await client.closed
  t.ok(rig.seen.every(({ reply }) => reply.closed))
  t.equal(client.frames.filter(({ type }) => type === TYPE.data).length, 0)
})

t.test('a body that does not come, or only drips: the stream is reset', async (t) => {
  const rig = await open(t)
  const client = await openFrames(t, rig.port)
  const stream = client.request(get('/body', [['content-length', '10']], { ':method': 'POST' }), false)
  await until('it is asked', () => rig.seen.length === 1)
  rig.pass(REQUEST_TIMEOUT_MS - 3000)
  client.send(frame(TYPE.data, 0, stream, Buffer.from('x')))
  t.equal(await client.outcome(client.request(get('/ok'))), 200)
  rig.pass(3001)
  t.equal(await client.outcome(stream), 'reset')
  t.ok(await client.alive())
})

t.test('connections without a request end, whatever else is said on them', async (t) => {
  const rig = await open(t)
  const mute = await openFrames(t, rig.port, null)
  const chatty = await openFrames(t, rig.port)
  const idle = await openFrames(t, rig.port)
  for (const client of [mute, chatty, idle]) await client.find(({ type }) => type === TYPE.settings)
  t.equal(await idle.outcome(idle.request(get('/ok'))), 200)
  t.ok(await chatty.alive())
  rig.pass(FIRST_REQUEST_TIMEOUT_MS + 1)
  await Promise.all([mute.closed, chatty.closed])
  t.ok(await idle.alive(), 'between two requests there is more time')
  rig.pass(SESSION_IDLE_TIMEOUT_MS - FIRST_REQUEST_TIMEOUT_MS)
  t.equal(await idle.goaway(), 0)
  await idle.closed
})

/** RFC 9113 §5.1, §6: each is a connection error. */
const PROTOCOL_ERRORS: Record<string, Uint8Array> = {
  'a window beyond its bound': frame(TYPE.windowUpdate, 0, 0, uint32(0x7fffffff)),
  'a window that opens by nothing': frame(TYPE.windowUpdate, 0, 0, uint32(0)),
  'data on a stream that is not open': frame(TYPE.data, FLAG.endStream, 1, OK),
  'a head on stream 0': frame(TYPE.headers, 5, 0, fieldBlock(get('/x'))),
  'a head on an even stream': frame(TYPE.headers, 5, 2, fieldBlock(get('/x'))),
  'a frame that is too large': frame(TYPE.headers, 5, 1, Buffer.alloc(20_000)),
  'a push': frame(TYPE.pushPromise, 4, 1, Buffer.concat([uint32(2), fieldBlock(get('/x'))])),
  'a ping of 7 bytes': frame(TYPE.ping, 0, 0, Buffer.alloc(7)),
  'settings of 7 bytes': frame(TYPE.settings, 0, 0, Buffer.alloc(7)),
  'settings on a stream': frame(TYPE.settings, 0, 1),
  'frames of one byte at most': frame(TYPE.settings, 0, 0, Buffer.concat([Buffer.of(0, 5), uint32(1)])),
  'a window of 2^31': frame(TYPE.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0x80000000)])),
  'a field block that is none': frame(TYPE.headers, 5, 1, Buffer.alloc(8, 0xff)),
  'a table that grows beyond its bound': frame(
    TYPE.headers,
    5,
    1,
    Buffer.of(0x3f, 0xe1, 0xff, 0xff, 0xff, 0x0f),
  ),
  'the rest of a head alone': frame(TYPE.continuation, 4, 1),
  'something else within a head': Buffer.concat([
    frame(TYPE.headers, 1, 1, fieldBlock(get('/x'))),
    EMPTY_PING,
  ]),
  'the end of a stream that never was': frame(TYPE.rstStream, 0, 1, uint32(8)),
  'HTTP/1.1': Buffer.from('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'),
}

t.test('frames that break the protocol end their connection', async (t) => {
  const rig = await open(t)
  for (const [what, bytes] of Object.entries(PROTOCOL_ERRORS)) {
    const client = await openFrames(t, rig.port)
    client.send(bytes)
    const ended = await Promise.race([client.closed.then(() => true), delay(5000, false, { ref: false })])
    t.ok(ended, what)
  }
  const noPreface = await openFrames(t, rig.port, null)
  noPreface.send(Buffer.from('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'))
  await noPreface.closed
  t.equal(rig.seen.length, 0)
  await stillServes(t, rig)
})
