// Playlists at the edge: each client gets the form it can use (URIs that stay in the property, gzip or brotli), all
// from one cached copy.
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t from 'tap'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const MPEGURL = { 'Content-Type': 'application/vnd.apple.mpegurl' }

/** A VOD playlist whose segments stand behind `base`. */
function vod(base: string, segments = 60): string {
  const lines = Array.from({ length: segments }, (_, i) => `#EXTINF:6,\n${base}seg-${i}.m4s`)
  return `#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MAP:URI="${base}init.mp4"\n${lines.join('\n')}\n#EXT-X-ENDLIST\n`
}

const properties = [{ id: 'shows', hosts: ['shows.example'], origins: [{ id: 'studio' }] }]
const VIA_HOST = { headers: { Host: 'shows.example' } }

t.test('root-relative URIs keep the prefix that the player came by', async (t) => {
  const origin = await startOrigin(t, {
    '/a/v.m3u8': { body: vod('/a/'), fields: { ...MPEGURL, 'Cache-Control': 'max-age=60', ETag: '"one"' } },
    '/a/init.mp4': { body: 'init', fields: { 'Cache-Control': 'max-age=60' } },
  })
  const edge = await startEdge(t, { origin: origin.url, properties })

  const prefixed = await get(`${edge.url}/~shows/a/v.m3u8`)
  t.equal(prefixed.text, vod('/~shows/a/'))
  const map = /URI="([^"]+)"/.exec(prefixed.text)?.[1] ?? ''
  t.equal((await get(edge.url + map)).text, 'init', 'what it names is there')
  const byHost = await get(`${edge.url}/a/v.m3u8`, VIA_HOST)
  t.equal(byHost.text, vod('/a/'), 'by host nothing has to change')
  t.ok(cacheStatusOf(byHost).has('hit'), 'both from one copy')
  t.equal(origin.count('/a/v.m3u8'), 1)

  t.equal(byHost.headers.etag, '"one"', 'the origin’s own bytes, the origin’s own validator')
  const etag = prefixed.headers.etag ?? ''
  t.match(etag, /^W\/"one-/, 'other bytes, another validator')
  const again = await get(`${edge.url}/~shows/a/v.m3u8`, { headers: { 'If-None-Match': etag } })
  t.equal(again.status, 304)
  const other = await get(`${edge.url}/~shows/a/v.m3u8`, { headers: { 'If-None-Match': '"one"' } })
  t.equal(other.status, 200)
  const range = await get(`${edge.url}/~shows/a/v.m3u8`, { headers: { Range: 'bytes=0-6' } })
  t.equal(range.status, 200, 'a form has no ranges')
  t.equal(range.headers['accept-ranges'], undefined)
})

t.test('absolute URIs of the origin, its base path and the property’s hosts lead to the edge', async (t) => {
  const origin = await startOrigin(t, {})
  const bases = [`${origin.url}/base/`, 'https://shows.example/', '//cdn.example.net/']
  const elsewhere = 'https://ads.example.org/x/'
  const body = [...bases, elsewhere].map((base) => `#EXTINF:6,\n${base}a/1.ts\n`).join('')
  origin.on('/base/v.m3u8', { body: `#EXTM3U\n#EXT-X-TARGETDURATION:6\n${body}`, fields: MPEGURL })
  const edge = await startEdge(t, {
    origin: `${origin.url}/base`,
    properties: [{ ...properties[0], playlists: { hosts: ['cdn.example.net'] } }],
  })

  const prefixed = await get(`${edge.url}/~shows/v.m3u8`)
  t.strictSame(
    prefixed.text.split('\n').filter((line) => line.endsWith('.ts')),
    ['/~shows/a/1.ts', '/~shows/a/1.ts', '/~shows/a/1.ts', `${elsewhere}a/1.ts`],
  )
  const byHost = await get(`${edge.url}/v.m3u8`, VIA_HOST)
  t.strictSame(
    byHost.text.split('\n').filter((line) => line.endsWith('.ts')),
    ['/a/1.ts', '/a/1.ts', '/a/1.ts', `${elsewhere}a/1.ts`],
  )
})

const DECODERS = [
  { accept: 'gzip', coding: 'gzip', decode: gunzipSync },
  { accept: 'gzip, deflate, br', coding: 'br', decode: brotliDecompressSync },
  { accept: 'br;q=0, gzip;q=0.1', coding: 'gzip', decode: gunzipSync },
  { accept: 'identity', coding: undefined, decode: (body: Buffer) => body },
  { accept: '', coding: undefined, decode: (body: Buffer) => body },
]

// The long one is compressed in the thread pool.
for (const segments of [60, 5000]) {
  t.test(`gzip and brotli of ${segments} segments give back the playlist`, async (t) => {
    const body = vod('', segments)
    const origin = await startOrigin(t, {
      '/v.m3u8': { body, fields: { ...MPEGURL, 'Cache-Control': 'max-age=60', ETag: '"one"' } },
    })
    const edge = await startEdge(t, { origin: origin.url })
    const etags = new Set<string | undefined>()
    for (const { accept, coding, decode } of DECODERS) {
      const options = { headers: accept === '' ? {} : { 'Accept-Encoding': accept } }
      const [first, second] = await Promise.all([1, 2].map(() => get(`${edge.url}/v.m3u8`, options)))
      t.equal(first?.headers['content-encoding'], coding, `${accept}: ${coding}`)
      t.match(first?.headers.vary, /accept-encoding/i)
      t.equal(decode(first?.body ?? Buffer.alloc(0)).toString(), body)
      t.same(second?.body, first?.body)
      t.equal(Number(first?.headers['content-length']), first?.body.length)
      if (coding !== undefined) t.ok((first?.body.length ?? 0) < body.length / 4)
      etags.add(first?.headers.etag)

      const etag = first?.headers.etag ?? ''
      const same = await get(`${edge.url}/v.m3u8`, { headers: { ...options.headers, 'If-None-Match': etag } })
      t.equal(same.status, 304)
      t.match(same.headers.vary, /accept-encoding/i)
      const head = await get(`${edge.url}/v.m3u8`, { ...options, method: 'HEAD' })
      t.equal(head.headers['content-length'], first?.headers['content-length'])
      const range = await get(`${edge.url}/v.m3u8`, { headers: { ...options.headers, Range: 'bytes=0-6' } })
      t.equal(range.status, coding === undefined ? 206 : 200)
    }
    t.equal(etags.size, 3, 'each coding has a validator of its own')
    t.equal(origin.count('/v.m3u8'), 1)
  })
}

t.test('a new state of a playlist replaces its forms', async (t) => {
  const fields = {
    ...MPEGURL,
    'Cache-Control': 'max-age=0',
    'Last-Modified': 'Sun, 06 Nov 1994 08:49:37 GMT',
  }
  const states = [vod('/a/'), vod('/b/')]
  const origin = await startOrigin(t, {
    '/v.m3u8': (_request, nth) => ({ body: states[nth - 1] ?? '', fields }),
  })
  const edge = await startEdge(t, { origin: origin.url })
  const options = { headers: { 'Accept-Encoding': 'gzip' } }
  for (const prefix of ['/a/', '/b/']) {
    const reply = await get(`${edge.url}/~all/v.m3u8`, options)
    t.equal(gunzipSync(reply.body).toString(), vod(`/~all${prefix}`), 'same length, same second, other bytes')
  }
})

t.test('what is only called a playlist goes out as it is', async (t) => {
  const origin = await startOrigin(t, {
    '/page.m3u8': { body: '<html>"/a/"</html>', fields: { ...MPEGURL, 'Cache-Control': 'max-age=60' } },
    '/private.m3u8': { body: vod('/a/'), fields: { ...MPEGURL, 'Cache-Control': 'private' } },
    '/stream.m3u': { body: Buffer.alloc(3_000_000, 'x'), framing: 'chunked' },
    '/long.m3u8': { body: `#EXTM3U\n${'# a comment\n'.repeat(300_000)}`, framing: 'chunked' },
    '/empty.m3u8': { body: '', fields: MPEGURL },
    '/gone.m3u8': { status: 404, body: '#EXTM3U\n/a.ts\n', fields: MPEGURL },
  })
  const edge = await startEdge(t, { origin: origin.url })
  t.equal((await get(`${edge.url}/~all/page.m3u8`)).text, '<html>"/a/"</html>')
  t.equal((await get(`${edge.url}/~all/private.m3u8`)).text, vod('/~all/a/'), 'not kept, still rewritten')
  t.equal((await get(`${edge.url}/~all/private.m3u8`)).text, vod('/~all/a/'))
  t.equal(origin.count('/private.m3u8'), 2)
  t.equal((await get(`${edge.url}/~all/stream.m3u`)).body.length, 3_000_000)
  t.equal((await get(`${edge.url}/~all/long.m3u8`)).body.length, 8 + 12 * 300_000)
  t.equal((await get(`${edge.url}/~all/empty.m3u8`)).body.length, 0)
  const gone = await get(`${edge.url}/~all/gone.m3u8`)
  t.equal(gone.status, 404)
})
