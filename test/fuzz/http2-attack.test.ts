// HTTP/2 under floods and stalls, frame by frame: floods end their connection, stalls end in time, and the server
// answers others as before. Its clock is the test's.
import t from 'tap'
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
import { openHttp2Rig, servesOthers } from '../kit/http2-rig.ts'
import { until } from '../kit/until.ts'

const NO_WINDOW = Buffer.concat([Buffer.from([0, 4]), uint32(0)])
/** Room for all streams together, so that each has its own window alone. */
const WIDE = frame(TYPE.windowUpdate, 0, 0, uint32(2 ** 30))

/** Sends pieces until the server ends the connection, or all are gone. */
async function flood(client: FrameClient, count: number, piece: (i: number) => Uint8Array): Promise<void> {
  for (let i = 0; i < count && !client.ended; i++) {
    client.send(piece(i))
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

const times = (count: number, bytes: Uint8Array) => Buffer.concat(Array.from({ length: count }, () => bytes))
const priorityOf = (i: number) => frame(TYPE.priority, 0, 2 * i + 1, Buffer.concat([uint32(0), Buffer.of(1)]))
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
    send: (client) => flood(client, 20_000, priorityOf),
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
    const rig = await openHttp2Rig(t)
    const client = await openFrames(t, rig.port)
    await send(client)
    await client.closed
    t.ok(rig.seen.length <= seen, `${rig.seen.length} requests were seen`)
    await until('what was begun is over', () => rig.seen.every(({ reply }) => reply.closed))
    await until('it is gone', () => rig.server.connectionCount === 0)
    t.ok(await servesOthers(t, rig), 'serves others')
  })
}

t.test('who asks for answers without reading them is cut off', async (t) => {
  const rig = await openHttp2Rig(t)
  for (const one of [EMPTY_PING, frame(TYPE.settings, 0, 0)]) {
    const client = await openFrames(t, rig.port)
    client.socket.pause()
    const piece = times(2000, one)
    await flood(client, 2000, () => piece)
    await until('it is cut', () => rig.server.connectionCount === 0)
    client.socket.destroy()
  }
  t.ok(await servesOthers(t, rig), 'serves others')
})

t.test('a head of 16 KiB at most, also from clients that never confirmed the bound', async (t) => {
  const rig = await openHttp2Rig(t)
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
  const rig = await openHttp2Rig(t)
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
  const rig = await openHttp2Rig(t)
  const client = await openFrames(t, rig.port, NO_WINDOW)
  for (let i = 0; i < STREAMS_MAX; i++) client.request(get('/large'))
  await until('all are asked', () => rig.seen.length === STREAMS_MAX)
  rig.pass(writeTimeoutMs(PIECE_BYTES_MAX) + 1)
  await client.closed
  t.ok(rig.seen.every(({ reply }) => reply.closed))
  t.equal(client.frames.filter(({ type }) => type === TYPE.data).length, 0)
})

/** nghttp2 then reads and writes no more, not even what would end the streams that are open. */
t.test('goodbye, and then something that breaks the protocol: the connection ends in time', async (t) => {
  const rig = await openHttp2Rig(t)
  const client = await openFrames(t, rig.port)
  const stream = client.nextStream()
  client.send(
    frame(TYPE.headers, FLAG.endHeaders, stream, fieldBlock(get('/ok', [], { ':method': 'HEAD' }))),
    frame(TYPE.goaway, 0, 0, uint32(0, 0)),
    frame(TYPE.continuation, 0, stream),
  )
  await until('it is asked', () => rig.seen.length === 1)
  rig.pass(writeTimeoutMs(0) + 1)
  await client.closed
  t.equal(rig.seen[0]?.reply.closed, true)
  await until('it is gone', () => rig.server.connectionCount === 0)
})

t.test('a body that does not come, or only drips: the stream is reset', async (t) => {
  const rig = await openHttp2Rig(t)
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
  const rig = await openHttp2Rig(t)
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
