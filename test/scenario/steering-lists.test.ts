// What players get who can be told more than one edge, from real daemons: main playlists that announce Content Steering,
// the lists that they name, routes in JSON, and edges that are found by a label of their host.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { signTypeA } from '../../src/token/type-a.ts'
import { get } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import { freePort } from '../kit/ports.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const KEY = 'key-of-the-cluster'
const MAIN = '/ep1/main.m3u8'
const MEDIA = '/ep1/v0.m3u8'
const fields = { 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': 'max-age=60', etag: '"1"' }
const origin = await startOrigin(t, {
  [MAIN]: { fields, body: '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nv0.m3u8\n' },
  [MEDIA]: { fields, body: '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\ns.ts\n#EXT-X-ENDLIST\n' },
  '/ep1/s.ts': { fields: { 'cache-control': 'max-age=60' }, body: 'segment' },
})

/** What a main playlist says of steering. */
function serverIn(playlist: string): string | undefined {
  return /^#EXTM3U\n#EXT-X-CONTENT-STEERING:SERVER-URI="([^"]+)",PATHWAY-ID="\."\n#EXT-X-STREAM/.exec(
    playlist,
  )?.[1]
}

t.test('a playlist names the list, and the list the other edges', async (t) => {
  const port = await freePort('::1')
  const cluster = await startCluster(t, {
    origin: origin.url,
    sites: { one: { edges: ['a', 'b', 'elsewhere'] } },
    listens: { a: `127.0.0.1:${port}`, b: `[::1]:${port}` },
    property: { contentSteering: { ttl: '7s' } },
  })
  const edge = cluster.edge('a').url
  const main = await get(`${edge}/~shows${MAIN}`)
  const server = `${cluster.steering}/.edgeward/steering/shows?asset=${MAIN}&from=a`
  t.equal(serverIn(main.text), server)
  t.not(main.headers.etag, (await get(`${cluster.edge('b').url}/~shows${MAIN}`)).headers.etag)
  t.match((await get(`${edge}/~shows${MEDIA}`)).text, /^#EXTM3U\n#EXT-X-TARGETDURATION/)
  const byHost = await get(`${edge}${MAIN}`, { headers: { host: 'shows.example.com' } })
  t.equal(serverIn(byHost.text), undefined, 'at another host it would be nobody’s')

  const reply = await get(`${server}&_HLS_pathway=%22.%22&_HLS_throughput=1000000`)
  t.match(reply.headers, {
    'content-type': 'application/vnd.apple.steering-list',
    'cache-control': 'no-store',
  })
  t.strictSame(JSON.parse(reply.text), {
    VERSION: 1,
    TTL: 7,
    'RELOAD-URI': `shows?asset=${MAIN}&from=a`,
    'PATHWAY-PRIORITY': ['.', 'b'],
    'PATHWAY-CLONES': [{ 'BASE-ID': '.', ID: 'b', 'URI-REPLACEMENT': { HOST: '[::1]' } }],
  })
  const head = await get(server, { method: 'HEAD' })
  t.match(head, { status: 200, text: '', headers: { 'content-length': String(reply.body.length) } })
  t.match(await get(server, { method: 'OPTIONS' }), { status: 204 })
  t.match(
    cluster.scheduler.stderr(),
    /no other edge has this scheme and port/,
    'a warning names the third edge',
  )
})

for (const carry of ['rewrite', 'path']) {
  t.test(`a token is carried by ${carry}, and steering with it`, async (t) => {
    const cluster = await startCluster(t, {
      origin: origin.url,
      sites: { one: { edges: ['a', 'b'] } },
      property: { contentSteering: {}, access: { tokens: { scheme: 'type-a', keys: [KEY], carry } } },
    })
    const target = signTypeA({ keys: [KEY] }, MAIN, { nowMs: systemClock.now() })
    const ask = (url: string) => get(`${cluster.steering}/.edgeward/route?url=${encodeURIComponent(url)}`)
    t.match(await ask(`/~shows${MAIN}`), { status: 403, text: /"reason":"token_missing"/ })
    const { routes } = JSON.parse((await ask(`https://shows.example.com${target}`)).text)
    t.equal(routes.length, 2)
    for (const { url } of routes) {
      t.match(url, carry === 'path' ? /\/~shows\/~~[^/]+\/ep1\/main\.m3u8$/ : target)
      const main = await get(url)
      t.match(serverIn(main.text), /\/\.edgeward\/steering\/shows\?asset=\/ep1\/main\.m3u8&from=[ab]$/)
      const variant = /^v0\.m3u8.*$/m.exec(main.text)?.[0] ?? ''
      t.equal((await get(new URL(variant, url).href)).status, 200, 'what it names is had with its grant')
    }
    t.equal((await get(`${cluster.steering}/.edgeward/steering/shows?asset=${MAIN}&from=a`)).status, 200)
  })
}

t.test('the property as a label of the host', async (t) => {
  const port = await freePort()
  const cluster = await startCluster(t, {
    origin: origin.url,
    sites: { one: { edges: ['a'] } },
    listens: { a: `127.0.0.1:${port}` },
    urls: { a: `http://a.edges.example.com:${port}` },
    steering: { redirect: 'host' },
    property: { contentSteering: {}, limits: { requests: { rate: 0.001, burst: 3 }, over: 'steer' } },
  })
  const reply = await get(`${cluster.steering}${MAIN}?x=1`, { headers: { host: 'shows.example.com' } })
  t.equal(reply.headers.location, `http://shows.a.edges.example.com:${port}${MAIN}?x=1`)

  const at = (host: string, target: string) => get(cluster.edge('a').url + target, { headers: { host } })
  const main = await at(`shows.a.edges.example.com:${port}`, MAIN)
  t.match(serverIn(main.text), /from=a$/)
  t.equal((await at('films.a.edges.example.com', MAIN)).status, 404)
  t.equal(serverIn((await at('x', `/~shows${MAIN}`)).text), undefined)
  await at('shows.a.edges.example.com', MEDIA)
  const away = await at('shows.a.edges.example.com', MEDIA)
  t.equal(away.headers.location, `${cluster.steering}/~shows${MEDIA}?~not=a`)
})
