// An origin falls into a black hole: what is sent to it vanishes, and nothing says so. No request waits for ever, what is
// stored is served, another origin takes over, and the one that is gone is left alone.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { inOwnNetwork, TestNetwork } from '../kit/namespaces.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const BOTH = [{ id: 'dark' }, { id: 'light' }]
const PROPERTIES = [
  { id: 'alone', hosts: ['alone.example.com'], origins: [{ id: 'dark' }] },
  { id: 'both', hosts: ['both.example.com'], origins: BOTH },
]

if (await inOwnNetwork(t, import.meta.url)) {
  const network = await TestNetwork.open()

  t.test('a black hole instead of an origin', async (t) => {
    const [dark, light] = [await network.here('203.0.113.10'), await network.here('203.0.113.20')]
    const place = await network.host(t, '192.0.2.1')
    const scripts = {
      '/stale': { body: 'stored', fields: { 'Cache-Control': 'max-age=0', ETag: '"1"' } },
      '/fresh': { body: 'stored', fields: { 'Cache-Control': 'max-age=600' } },
      '/new': { body: 'new' },
    }
    const gone = await startOrigin(t, scripts, { host: dark.address })
    const there = await startOrigin(t, scripts, { host: light.address })
    const origins = [
      { id: 'dark', url: gone.url },
      { id: 'light', url: there.url },
    ]
    const edge = await startEdge(t, { origin: gone.url, place, properties: PROPERTIES, config: { origins } })
    const ask = async (property: string, path: string) => {
      const sinceMs = systemClock.monotonic()
      const reply = await get(edge.url + path, { headers: { Host: `${property}.example.com` } })
      const tookMs = systemClock.monotonic() - sinceMs
      t.comment(`${property}${path}: ${reply.status} after ${Math.round(tookMs)} ms`)
      return { ...reply, tookMs }
    }
    for (const path of ['/stale', '/fresh']) t.match(await ask('alone', path), { status: 200 })

    await network.cut(place, dark)
    const cutMs = systemClock.monotonic()
    t.match(await ask('alone', '/fresh'), { status: 200, text: 'stored' })
    const [alone, stale, both] = await Promise.all([
      ask('alone', '/new'),
      ask('alone', '/stale'),
      ask('both', '/new'),
    ])
    t.match(alone, { status: 504, headers: { 'proxy-status': 'solo; error=http_response_timeout' } })
    t.match(stale, { status: 200, text: 'stored' })
    t.match(both, { status: 200, text: 'new' })
    for (const { tookMs } of [alone, stale, both]) t.ok(tookMs < 12_000, `${tookMs} ms`)
    t.equal(there.count('/new'), 1)

    t.comment(await network.attempts(place, dark), systemClock.monotonic() - cutMs)
    await network.join(place, dark)
    t.match(await ask('alone', '/new'), { status: 200, text: 'new' })
  })
}
