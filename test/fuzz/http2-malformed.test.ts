// Requests over HTTP/2 that are none, written frame by frame: what must be refused is refused before the flow sees it,
// what is sound is read as over HTTP/1.1, and frames that break the protocol end their connection.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { FLAG, TYPE, fieldBlock, frame, get, openFrames, uint32 } from '../kit/http2-frames.ts'
import { openHttp2Rig, servesOthers } from '../kit/http2-rig.ts'

const EMPTY_PING = frame(TYPE.ping, 0, 0, Buffer.alloc(8))

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
  const rig = await openHttp2Rig(t)
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
  const rig = await openHttp2Rig(t)
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
  const rig = await openHttp2Rig(t)
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

/** RFC 9113 §5.1, §6: each is a connection error. */
const PROTOCOL_ERRORS: Record<string, Uint8Array> = {
  'a window beyond its bound': frame(TYPE.windowUpdate, 0, 0, uint32(0x7fffffff)),
  'a window that opens by nothing': frame(TYPE.windowUpdate, 0, 0, uint32(0)),
  'data on a stream that is not open': frame(TYPE.data, FLAG.endStream, 1, Buffer.from('x')),
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
  const rig = await openHttp2Rig(t)
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
  t.ok(await servesOthers(t, rig), 'serves others')
})
