// A site loses its way to the centre, where packets vanish and nothing is refused: its edges serve on, pull, start again and
// serve, while its clients are sent elsewhere; and what was purged meanwhile no client gets from them who is sent back.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { get } from '../kit/client.ts'
import type { Reply } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import type { Cluster } from '../kit/cluster.ts'
import { startRedis } from '../kit/redis-server.ts'
import { pass, startViewers, unharmed } from '../kit/redis-viewers.ts'
import { inOwnNetwork, TestNetwork } from '../kit/namespaces.ts'
import type { Place } from '../kit/namespaces.ts'
import { ask, outcomeOf, purge } from '../kit/purging.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { Answer } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const FILMS = Array.from({ length: 8 }, (_, i) => `/${i}/film`)
const film = (version: number): Answer => ({
  body: `version ${version}`,
  fields: { 'Cache-Control': 'max-age=600' },
})

/** A client at an address: it asks the scheduler, and goes where it is sent. */
class Viewer {
  readonly #cluster: Cluster
  readonly #from: Place

  constructor(cluster: Cluster, from: Place) {
    this.#cluster = cluster
    this.#from = from
  }

  /** The edge it is sent to, or the status of what is no redirect. */
  async sentTo(path: string): Promise<{ edge: string; location: string }> {
    const options = { headers: { Host: 'shows.example.com' }, localAddress: this.#from.address }
    const { status, headers } = await get(this.#cluster.steering + path, options)
    const location = String(headers.location)
    const edge = [...this.#cluster.edges.values()].find(({ url }) => location.startsWith(`${url}/`))
    return { edge: edge?.id ?? String(status), location }
  }

  /** The sites of the edges it is sent to for all films. */
  async sites(): Promise<string> {
    const sent = await Promise.all(FILMS.map((path) => this.sentTo(path)))
    return [...new Set(sent.map(({ edge }) => edge.replace(/-\d$/, '')))].join()
  }

  async play(path: string): Promise<{ edge: string; reply: Reply }> {
    const { edge, location } = await this.sentTo(path)
    return { edge, reply: await get(location, { localAddress: this.#from.address }) }
  }
}

if (await inOwnNetwork(t, import.meta.url)) {
  t.jobs = 2
  const network = await TestNetwork.open()

  t.test('a site cut from the centre', { buffered: true }, async (t) => {
    const centre = await network.host(t, '203.0.113.1')
    const north = [await network.host(t, '192.0.2.1'), await network.host(t, '192.0.2.2')] as const
    const places = {
      scheduler: centre,
      'n-1': north[0],
      'n-2': north[1],
      's-1': await network.host(t, '198.51.100.1'),
    }
    const origin = await startOrigin(
      t,
      Object.fromEntries([...FILMS, '/second', '/third'].map((path) => [path, film(1)])),
      await network.here('203.0.113.200').then(({ address }) => ({ host: address })),
    )
    const cluster = await startCluster(t, {
      origin: origin.url,
      places,
      edgeEntry: { capacity: { bandwidth: '100Gbit', connections: 1_000_000 } },
      sites: {
        north: { edges: ['n-1', 'n-2'], networks: ['192.0.2.0/24'] },
        south: { edges: ['s-1'], networks: ['198.51.100.0/24'] },
      },
    })
    const [first, second] = [cluster.edge('n-1'), cluster.edge('n-2')]
    const viewer = new Viewer(cluster, await network.here('192.0.2.100'))
    for (const path of FILMS) for (const edge of [first, second]) await ask(edge, path)
    t.equal(await viewer.sites(), 'n')

    for (const place of north) await network.cut(place, centre)
    const cutMs = systemClock.monotonic()
    for (const path of FILMS) origin.on(path, film(2))
    const purging = purge(t, cluster, '--property', 'shows', '--wildcard', '/*/film')
    await until('its clients are sent to another site', async () => (await viewer.sites()) === 's')
    const movedMs = systemClock.monotonic() - cutMs
    t.ok(movedMs < 5000, `after ${Math.round(movedMs)} ms`)
    for (const edge of [first, second]) {
      t.equal(outcomeOf(await ask(edge, '/0/film')), 'hit')
      t.match(await ask(edge, '/second'), { status: 200, text: 'version 1' }, 'pulled from the origin')
    }
    await first.restart('SIGKILL')
    t.equal(outcomeOf(await ask(first, '/0/film')), 'hit', 'it starts without the centre')
    t.match(await ask(first, '/third'), { status: 200, text: 'version 1' }, 'and pulls')

    t.match(await purging, { code: 0 })
    for (const place of north) await network.join(place, centre)
    const joinedMs = systemClock.monotonic()
    const seen = new Map<string, Set<string>>()
    await until(
      'its clients are sent back',
      async () => {
        for (const path of FILMS) {
          const { edge, reply } = await viewer.play(path)
          seen.set(edge, (seen.get(edge) ?? new Set()).add(reply.text))
        }
        return seen.has('n-1') && seen.has('n-2')
      },
      20_000,
    )
    t.comment(`sent back after ${Math.round(systemClock.monotonic() - joinedMs)} ms`)
    for (const [edge, versions] of seen)
      t.same([...versions], ['version 2'], `${edge}: what was purged is gone`)
  })

  t.test('a centre cut from Redis', { buffered: true }, async (t) => {
    const redis = await network.here('203.0.113.50')
    const server = await startRedis(t, { host: redis.address })
    const [one, other] = [await network.host(t, '203.0.113.2'), await network.host(t, '203.0.113.3')]
    const viewers = await startViewers(t, server.url, [one, other])
    const watched = viewers.watch()
    await network.cut(one, redis)
    await network.cut(other, redis)
    await viewers.untilBoth('held')
    // Longer than a report lives in Redis, and than one counts that is heard no more.
    await pass(6000)
    await network.join(one, redis)
    await network.join(other, redis)
    await viewers.untilBoth('healthy', 20_000)
    // As long as it takes for what only was held to show as what it is.
    await pass(4000)
    unharmed(t, watched, 100)
  })
}
