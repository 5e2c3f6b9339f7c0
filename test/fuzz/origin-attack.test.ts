// What an origin, or whoever speaks for it, can make an edge do: unpack bombs, follow it into private networks, wait,
// fetch much more than was asked for. Malformed heads and bodies are in edge-attack.test.ts (HOSTILE).
import { readFileSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import t from 'tap'
import { listen } from '../../src/net/listen.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import type { TestScope } from '../kit/scope.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { codeOf } from '../kit/source-text.ts'

const MIB = 2 ** 20
const FRESH = { 'Cache-Control': 'max-age=600', ETag: '"a"' }

function residentBytes(edge: TestEdge): number {
  const status = readFileSync(`/proc/${edge.process.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024
}

async function metric(edge: TestEdge, name: string): Promise<number> {
  const { text } = await get(`${edge.admin}/metrics`)
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
}

/** Status of a reply whose head comes a line every half second; 0 when there is none within twice the bound. */
async function dripHead(t: TestScope): Promise<number> {
  const server = createTcpServer((socket) => {
    const drip = setInterval(() => socket.write('X-A: a\r\n'), 500)
    socket.on('error', () => {}).on('close', () => clearInterval(drip))
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n'))
  })
  const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'port')
  t.teardown(() => server.close())
  const edge = await startEdge(t, { origin: `http://127.0.0.1:${port}` })
  const late = delay(20_000, { status: 0 }, { ref: false })
  return (await Promise.race([get(`${edge.url}/slow`), late])).status
}

// It takes as long as the bound: beside the other tests, and looked at in the last.
const dripped = dripHead(t)

t.test('a decompression bomb goes through as it came: the edge never unpacks', async (t) => {
  const zeros = Buffer.alloc(200 * MIB)
  const gzip = gzipSync(zeros)
  const bombs = {
    gzip,
    // As small a bomb as by the best quality, in a twentieth of the time.
    br: brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
    'gzip, gzip': gzipSync(gzip),
  }
  const paths = ['/film.mp4', '/live.m3u8', '/page']
  const scripts = Object.entries(bombs).flatMap(([coding, body], i) =>
    paths.map((path) => {
      const type = 'application/vnd.apple.mpegurl'
      const fields = { ...FRESH, 'Content-Encoding': coding, 'Content-Type': type }
      return [`/${i}${path}`, { body, fields }] as const
    }),
  )
  const origin = await startOrigin(t, {
    ...Object.fromEntries(scripts),
    '/ok': { body: 'ok', fields: FRESH },
  })
  const edge = await startEdge(t, { origin: origin.url })
  await get(`${edge.url}/ok`)
  const before = residentBytes(edge)
  for (const [i, [coding, body]] of Object.entries(bombs).entries()) {
    for (const path of paths.map((name) => `/${i}${name}`)) {
      for (const accepts of ['gzip, br', 'identity']) {
        const reply = await get(edge.url + path, { headers: { 'Accept-Encoding': accepts } })
        t.equal(reply.headers['content-encoding'], coding)
        t.ok(reply.body.equals(body), `${path} ${coding} for ${accepts}: byte by byte`)
      }
      t.equal(origin.requests(path)[0]?.headers['accept-encoding'], 'identity', 'nor did it ask for it')
    }
  }
  t.ok(residentBytes(edge) - before < 100 * MIB, 'not unpacked')
})

t.test('nothing in the edge can unpack', async (t) => {
  for (const folder of ['edge', 'src']) {
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue
      const code = codeOf(readFileSync(`${folder}/${file}`, 'utf8'))
      t.notMatch(
        code,
        /\b(?:createGunzip|createInflate|createUnzip|createBrotliDecompress|createZstdDecompress)\b/,
        file,
      )
      t.notMatch(
        code,
        /\b(?:gunzip|inflate|unzip|inflateRaw|brotliDecompress|zstdDecompress|DecompressionStream)\w*\(/,
        file,
      )
    }
  }
})

/** A service that only the edge's own machine can reach. */
async function startInternal(t: TestScope): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end('secret of the metadata service')
  })
  const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'port')
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${port}`, asked }
}

t.test('an origin that points elsewhere, in whatever way: the edge does not go there', async (t) => {
  const internal = await startInternal(t)
  const inside = `${internal.url}/latest/meta-data/`
  const pointing: Record<string, { status?: number; fields: Record<string, string>; body?: string }> = {
    ...Object.fromEntries(
      [300, 301, 302, 303, 307, 308].map((status) => [
        `/${status}`,
        { status, fields: { Location: inside } },
      ]),
    ),
    '/201': { status: 201, fields: { Location: inside } },
    '/305': { status: 305, fields: { Location: inside } },
    '/relative': { status: 302, fields: { Location: `//${new URL(inside).host}/x` } },
    '/refresh': { fields: { Refresh: `0; url=${inside}` } },
    '/accel': {
      fields: { 'X-Accel-Redirect': inside, 'X-Sendfile': '/etc/passwd', 'X-Reproxy-URL': inside },
    },
    '/alt-svc': {
      fields: { 'Alt-Svc': `h2="${new URL(inside).host}"; ma=600`, 'Alt-Used': new URL(inside).host },
    },
    '/link': { fields: { Link: `<${inside}>; rel=preload; as=fetch, <${inside}>; rel=preconnect` } },
    '/content-location': { fields: { 'Content-Location': inside } },
    '/esi': { fields: { 'Surrogate-Control': 'content="ESI/1.0"' }, body: `<esi:include src="${inside}"/>` },
  }
  const origin = await startOrigin(
    t,
    Object.fromEntries(
      Object.entries(pointing).map(([path, answer]) => [
        path,
        { ...answer, fields: { ...FRESH, ...answer.fields } },
      ]),
    ),
  )
  const edge = await startEdge(t, { origin: origin.url })
  for (const [path, { status, fields }] of Object.entries(pointing)) {
    for (const method of ['HEAD', 'GET', 'GET']) {
      const reply = await get(edge.url + path, { method })
      t.equal(reply.status, status ?? 200, path)
      t.notMatch(reply.text, /secret/, path)
      for (const [name, value] of Object.entries(fields)) t.equal(reply.headers[name.toLowerCase()], value)
    }
  }
  t.strictSame(internal.asked, [])
})

t.test('neither for a slice, nor when it asks again, nor ahead of a player', async (t) => {
  const internal = await startInternal(t)
  const redirect = { status: 302, fields: { Location: `${internal.url}/x`, 'Cache-Control': 'max-age=600' } }
  const body = Buffer.alloc(500_000, 'x')
  const origin = await startOrigin(t, {
    '/film': (request) =>
      request.headers.range === 'bytes=65536-131071' ? redirect : { body, fields: FRESH },
    '/stale': (_request, nth) =>
      nth === 1 ? { body: 'old', fields: { ...FRESH, 'Cache-Control': 'no-cache' } } : redirect,
    '/v.m3u8': {
      body: `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\ns0.ts\n#EXTINF:2,\n/s1.ts\n#EXTINF:2,\n${internal.url}/s2.ts\n#EXT-X-ENDLIST\n`,
      fields: FRESH,
    },
    '/s0.ts': { body: 'zero', fields: FRESH },
    '/s1.ts': { body: 'one', fields: FRESH },
  })
  const edge = await startEdge(t, {
    origin: origin.url,
    slice: '64KiB',
    properties: [{ id: 'all', hosts: ['*'], origins: [{ id: 'studio' }], prefetch: { segments: 2 } }],
  })
  const part = await get(`${edge.url}/film`, { headers: { Range: 'bytes=70000-70001' } }).catch(() => null)
  t.notMatch(part?.text ?? '', /secret/)
  await get(`${edge.url}/stale`)
  t.match(await get(`${edge.url}/stale`), { status: 302, headers: { location: `${internal.url}/x` } })
  await get(`${edge.url}/v.m3u8`)
  await get(`${edge.url}/s0.ts`)
  await origin.asked('/s1.ts')
  t.strictSame(internal.asked, [])
})

const SLICE = 64 * 1024
/** What may be on its way when a pull stops at a boundary: a piece from the socket, and one that it has taken already. */
const ON_ITS_WAY = 2 * SLICE

t.test('a range costs the origin the slices it touches, however many ask, in whatever form', async (t) => {
  const body = Buffer.alloc(200 * SLICE, 'x')
  const origin = await startOrigin(t, { '/film': { body, fields: FRESH } })
  const scattered = Array.from({ length: 100 }, (_, i) => i * 37)
  const attacks: [string, string[], number][] = [
    ['the first byte, many times', scattered.map(() => 'bytes=0-0'), 1],
    ['a byte in the middle, many times', scattered.map(() => `bytes=${100 * SLICE}-${100 * SLICE}`), 1],
    ['many bytes of one slice', scattered.map((at) => `bytes=${100 * SLICE + at}-${100 * SLICE + at}`), 1],
    [
      'a byte of each of ten slices',
      scattered.map((_, i) => `bytes=${(i % 10) * SLICE}-${(i % 10) * SLICE}`),
      10,
    ],
    ['the last byte', ['bytes=-1', 'bytes=-1'], 2],
    ['two bytes over a boundary', [`bytes=${SLICE - 1}-${SLICE}`], 2],
    ['beyond the end', [`bytes=${body.length}-`, 'bytes=999999999999-'], 1],
  ]
  for (const [name, ranges, slices] of attacks) {
    const edge = await startEdge(t, { origin: origin.url, slice: '64KiB' })
    await Promise.all(ranges.map((range) => get(`${edge.url}/film`, { headers: { Range: range } })))
    const bytes = await metric(edge, 'edgeward_edge_upstream_received_bytes_total')
    t.ok(
      bytes <= slices * (SLICE + ON_ITS_WAY),
      `${name}: ${bytes / SLICE} slices from the origin for ${slices}`,
    )
    await edge.stop()
  }
})

t.test('many ranges in one request are answered with the object once, not with each', async (t) => {
  const body = Buffer.alloc(20 * SLICE, 'x')
  const origin = await startOrigin(t, { '/film': { body, fields: FRESH } })
  const edge = await startEdge(t, { origin: origin.url, slice: '64KiB' })
  for (const ranges of [
    Array.from({ length: 500 }, () => '0-').join(','),
    Array.from({ length: 500 }, (_, i) => `${i}-${body.length - 1}`).join(','),
    Array.from({ length: 1000 }, (_, i) => `${2 * i}-${2 * i}`).join(','),
    '0-0,-1',
    `0-,${'-1,'.repeat(1000)}0-`,
  ]) {
    const reply = await get(`${edge.url}/film`, { headers: { Range: `bytes=${ranges}` } })
    t.equal(reply.status, 200, ranges.slice(0, 20))
    t.equal(reply.body.length, body.length)
  }
  t.equal(origin.count('/film'), 1)
  t.equal(origin.requests('/film')[0]?.headers.range, undefined)
})

t.test('an origin that sends its head bit by bit has as long as one that is silent', async (t) => {
  t.equal(await dripped, 504)
})
