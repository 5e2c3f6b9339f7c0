// Segment-ahead prefetch: off unless asked for, bounded, counted, and never for what is here or on its way.
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import type { TestScope } from '../kit/scope.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { ScriptedOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const FRESH = { 'Cache-Control': 'max-age=600', ETag: '"a"' }
const SEGMENTS = 12
const BODY = bytesOf(3, 50_000)
const OBJECTS = 'edgeward_edge_prefetch_objects_total'

function playlist(first: number, count: number, base = '', end = '#EXT-X-ENDLIST\n'): string {
  const segments = Array.from({ length: count }, (_, i) => `#EXTINF:2,\n${base}s${first + i}.ts\n`).join('')
  return `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${first}\n${segments}${end}`
}

async function start(t: TestScope, prefetch: object): Promise<{ origin: ScriptedOrigin; edge: TestEdge }> {
  const origin = await startOrigin(t, {
    '/v/v.m3u8': { body: playlist(0, SEGMENTS), fields: FRESH },
    ...Object.fromEntries(
      Array.from({ length: SEGMENTS }, (_, i) => [`/v/s${i}.ts`, { body: BODY, fields: FRESH }] as const),
    ),
  })
  const properties = [{ id: 'all', hosts: ['*'], origins: [{ id: 'studio' }], ...prefetch }]
  return { origin, edge: await startEdge(t, { origin: origin.url, properties }) }
}

async function metric(edge: TestEdge, name: string): Promise<number> {
  const { text } = await get(`${edge.admin}/metrics`)
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN)
}

t.test('off by default', async (t) => {
  const { origin, edge } = await start(t, {})
  await get(`${edge.url}/v/v.m3u8`)
  await get(`${edge.url}/v/s0.ts`)
  await get(`${edge.url}/v/s11.ts`)
  t.equal(origin.total(), 3)
})

for (const base of ['', '/v/', 'ORIGIN/v/']) {
  t.test(
    `the next two of the rendition that is played, named by ${base === '' ? 'relative URIs' : base}`,
    async (t) => {
      const { origin, edge } = await start(t, { prefetch: { segments: 2 } })
      const written = base.replace('ORIGIN', origin.url)
      origin.on('/v/v.m3u8', { body: playlist(0, SEGMENTS, written), fields: FRESH })
      await get(`${edge.url}/~all/v/v.m3u8`)
      await get(`${edge.url}/~all/v/s3.ts`)
      await Promise.all([origin.asked('/v/s4.ts'), origin.asked('/v/s5.ts')])
      await until(
        'both are in',
        async () => (await metric(edge, 'edgeward_edge_prefetch_bytes_total')) === 100_000,
      )

      const next = await get(`${edge.url}/~all/v/s4.ts`)
      t.ok(cacheStatusOf(next).has('hit'))
      t.ok(next.body.equals(BODY))
      await origin.asked('/v/s6.ts')
      t.equal(origin.count('/v/s4.ts'), 1)
      t.equal(origin.count('/v/s5.ts'), 1, 'what is here already is not fetched again')
      t.equal(origin.count('/v/s7.ts'), 0, 'no further than two')
      t.equal(await metric(edge, 'edgeward_edge_prefetch_used_objects_total'), 1)
      await until('three were begun', async () => (await metric(edge, OBJECTS)) === 3)
      t.equal(await metric(edge, 'edgeward_edge_prefetch_unused_objects_total'), 0, 'not judged yet')
    },
  )
}

t.test('a player that comes while its next segment is being fetched ahead shares that fetch', async (t) => {
  const { origin, edge } = await start(t, { prefetch: { segments: 1 } })
  origin.on('/v/s1.ts', { body: BODY, fields: FRESH, pauseAt: 20_000 })
  await get(`${edge.url}/v/v.m3u8`)
  await get(`${edge.url}/v/s0.ts`)
  await origin.paused('/v/s1.ts')
  const reply = get(`${edge.url}/v/s1.ts`)
  await origin.asked('/v/s2.ts')
  origin.resume('/v/s1.ts')
  t.ok((await reply).body.equals(BODY))
  t.equal(origin.count('/v/s1.ts'), 1)
})

t.test('a live playlist that moves on is followed', async (t) => {
  const { origin, edge } = await start(t, { prefetch: { segments: 1 } })
  const fields = { 'Cache-Control': 'max-age=0', ETag: '"a"' }
  origin.on('/v/v.m3u8', (_request, nth) => ({
    body: playlist(nth, 4, '', ''),
    fields: { ...fields, ETag: `"${nth}"` },
  }))
  await get(`${edge.url}/v/v.m3u8`)
  await get(`${edge.url}/v/s4.ts`)
  t.equal(origin.count('/v/s5.ts'), 0, 'not in the playlist yet')
  await get(`${edge.url}/v/v.m3u8`)
  await get(`${edge.url}/v/s4.ts`)
  await origin.asked('/v/s5.ts')
  t.equal(origin.count('/v/s5.ts'), 1)
})

t.test('what the player announces by CMCD is fetched, its range or all of it', async (t) => {
  const { origin, edge } = await start(t, { prefetch: { segments: 1 } })
  const cmcd = encodeURIComponent('nor="..%2Fv%2Fs7.ts",ot=v,sf=h,br=2000,bs')
  await get(`${edge.url}/v/s0.ts?CMCD=${cmcd}`)
  await origin.asked('/v/s7.ts')
  await get(`${edge.url}/v/s0.ts`, {
    headers: { 'CMCD-Request': 'nor="s8.ts",nrr="100-200"', 'CMCD-Session': 'sid="x",sf=h' },
  })
  await origin.asked('/v/s8.ts')
  t.equal(origin.count('/v/s0.ts'), 1, 'one object, whatever the player says')
  for (const { target, headers } of origin.requests('/v/s0.ts')) {
    t.equal(target, '/v/s0.ts')
    t.notOk(Object.keys(headers).some((name) => name.startsWith('cmcd')))
  }
  // Out of the property, or not a path: nothing happens.
  for (const nor of ['https://else.example/x.ts', '%FF', 'data:,x', '']) {
    const text = encodeURIComponent(`nor="${encodeURIComponent(nor)}"`)
    t.equal((await get(`${edge.url}/v/s0.ts?CMCD=${text}`)).status, 200)
  }
  t.equal((await get(`${edge.url}/v/s0.ts?CMCD=%FF`)).status, 200)
  t.equal(await metric(edge, 'edgeward_edge_cmcd_malformed_total'), 1)
  t.equal(await metric(edge, 'edgeward_edge_cmcd_starved_total'), 1)
  await until('two were begun', async () => (await metric(edge, OBJECTS)) === 2)
})

t.test('errors and what may not be kept are not pulled to their end', async (t) => {
  const { origin, edge } = await start(t, { prefetch: { segments: 2 } })
  origin.on('/v/s1.ts', { status: 404, body: 'none' })
  origin.on('/v/s2.ts', { body: BODY, fields: { 'Cache-Control': 'private' } })
  await get(`${edge.url}/v/v.m3u8`)
  await get(`${edge.url}/v/s0.ts`)
  await Promise.all([origin.asked('/v/s1.ts'), origin.asked('/v/s2.ts')])
  t.equal(await metric(edge, OBJECTS), 0)
  t.ok((await get(`${edge.url}/v/s2.ts`)).body.equals(BODY), 'the player gets its own')
  t.equal(origin.count('/v/s2.ts'), 2)
})
