// A site, its centre, its origin and its viewers where there is no IPv4 at all: everything that daemons and clients say to
// each other goes over IPv6.
import t from 'tap'
import { z } from 'zod'
import { get } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import { dataOf, dig, ZONE } from '../kit/dns-cluster.ts'
import { inOwnNetwork, TestNetwork } from '../kit/namespaces.ts'
import { freePort } from '../kit/ports.ts'
import { ask, outcomeOf, purge } from '../kit/purging.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const CLIENT = '2001:db8:a::100'
const EDGE = '2001:db8:a::1'
const edgesSchema = z.object({ edges: z.array(z.object({ reach: z.record(z.string(), z.string()) })) })
const film = (version: number) => ({ body: `${version}`, fields: { 'Cache-Control': 'max-age=600' } })

if (await inOwnNetwork(t, import.meta.url)) {
  const network = await TestNetwork.open()

  t.test('without IPv4', async (t) => {
    await network.here(CLIENT)
    const { address: host } = await network.here('2001:db8:ffff::1')
    const origin = await startOrigin(t, { '/film': film(1) }, { host })
    const centre = await network.host(t, '2001:db8:c::1')
    const port = await freePort()
    const cluster = await startCluster(t, {
      origin: origin.url,
      sites: {
        site: { edges: ['e-1'], networks: ['2001:db8:a::/48'] },
        other: { edges: ['o-1'], networks: ['2001:db8:b::/48'] },
      },
      places: {
        scheduler: centre,
        'e-1': await network.host(t, EDGE),
        'o-1': await network.host(t, '2001:db8:b::1'),
      },
      edgeEntries: { 'e-1': { addresses: [EDGE] }, 'o-1': { addresses: ['2001:db8:b::1'] } },
      dns: { listen: `[${centre.address}]:${port}`, zone: ZONE, nameservers: ['ns1.example.net'] },
    })
    const edge = cluster.edge('e-1')

    const options = { headers: { Host: 'shows.example.com' }, localAddress: CLIENT }
    const sent = await get(`${cluster.steering}/film`, options)
    t.match(sent, { status: 302, headers: { location: `${edge.url}/~shows/film` } })
    t.match(edge.url, /^http:\/\/\[2001:db8:a::1\]:\d+$/)
    t.match(await get(`${edge.url}/~shows/film`, { localAddress: CLIENT }), { status: 200, text: '1' })
    t.equal(outcomeOf(await ask(edge, '/film')), 'hit')

    const query = (type: string) => dig(port, `shows.${ZONE} ${type} -b ${CLIENT}`, centre.address)
    t.strictSame(dataOf((await query('AAAA')).answer, 'AAAA'), [EDGE])
    t.match(await query('A'), { status: 'NOERROR', answer: [] })
    t.strictSame(dataOf((await query('AAAA +tcp')).answer, 'AAAA'), [EDGE])

    await until('its probes come through', async () => {
      const { edges } = edgesSchema.parse(JSON.parse((await get(`${cluster.admin}/api/v1/edges`)).text))
      return edges.every(({ reach }) => reach['ipv6'] === 'reachable')
    })
    origin.on('/film', film(2))
    t.match(await purge(t, cluster, 'http://shows.example.com/film'), { code: 0 })
    t.match(await ask(edge, '/film'), { status: 200, text: '2' })
  })
}
