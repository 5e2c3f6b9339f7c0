// Clients behind a real recursive resolver: unbound asks for them, with and without their networks, over both families.
import t from 'tap'
import { SHOWS, ZONE, dataOf, startDnsCluster } from '../kit/dns-cluster.ts'
import { metricOf } from '../kit/metric.ts'
import { startUnbound } from '../kit/unbound.ts'

const NAME = `shows.${ZONE}`
/** Clients are addresses of this machine. */
const [GUANGZHOU, GUANGZHOU_TOO, FRANKFURT] = ['127.1.5.1', '127.1.200.1', '127.2.0.1']
const SITES = [
  {
    id: 'guangzhou',
    location: { lat: 23.13, lon: 113.26 },
    coverage: { networks: ['127.1.0.0/16', '::1/128'] },
  },
  { id: 'frankfurt', location: { lat: 50.11, lon: 8.68 }, coverage: { networks: ['127.2.0.0/16'] } },
]
const EDGES_OF_GUANGZHOU = ['192.0.2.11', '192.0.2.12', '192.0.2.13']

const cluster = await startDnsCluster(
  t,
  {
    listen: ['127.0.0.1:0', '[::1]:0'],
    addresses: 8,
    records: [
      { name: 'film', type: 'CNAME', data: NAME },
      { name: 'big', type: 'TXT', data: 'x'.repeat(3000) },
    ],
  },
  { sites: SITES, properties: [SHOWS] },
)
const [ipv4 = '', ipv6 = ''] = cluster.listeners

const asked = (type: string) =>
  metricOf(
    cluster.scheduler.admin,
    `edgeward_scheduler_dns_queries_total{transport="udp",type="${type}",rcode="NOERROR"}`,
  )

t.test(
  'with Client Subnet each client gets its own edges, and an answer serves its whole scope',
  async (t) => {
    const unbound = await startUnbound(t, {
      zones: { [ZONE]: ipv4 },
      lines: ['send-client-subnet: 127.0.0.1'],
    })
    const addresses = async (client: string) =>
      dataOf((await unbound.dig(`${NAME} A`, client)).answer, 'A').toSorted()
    t.strictSame(await addresses(GUANGZHOU), EDGES_OF_GUANGZHOU)
    t.strictSame(await addresses(FRANKFURT), ['192.0.2.21'])
    const before = await asked('A')
    t.strictSame(await addresses(GUANGZHOU_TOO), EDGES_OF_GUANGZHOU)
    t.strictSame(await addresses(FRANKFURT), ['192.0.2.21'])
    t.equal(await asked('A'), before, 'both came from the cache')
  },
)

t.test('without it the address of the resolver decides', async (t) => {
  for (const [address, expected] of [
    [GUANGZHOU, EDGES_OF_GUANGZHOU],
    [FRANKFURT, ['192.0.2.21']],
  ] as const) {
    const unbound = await startUnbound(t, {
      zones: { [ZONE]: ipv4 },
      lines: [`outgoing-interface: ${address}`],
    })
    const { answer } = await unbound.dig(`${NAME} A`, '127.3.0.1')
    t.strictSame(dataOf(answer, 'A').toSorted(), expected, address)
  }
})

t.test('over IPv6, with random case and minimised names', async (t) => {
  const lines = ['use-caps-for-id: yes', 'qname-minimisation-strict: yes']
  const unbound = await startUnbound(t, { zones: { [ZONE]: ipv6 }, lines })
  const { answer } = await unbound.dig(`film.${ZONE} AAAA`)
  t.strictSame(dataOf(answer, 'CNAME'), [`${NAME}.`])
  t.strictSame(dataOf(answer, 'AAAA').toSorted(), ['2001:db8:1::11', '2001:db8:1::12'])
  t.equal((await unbound.dig(`none.of.these.${ZONE} A`)).status, 'NXDOMAIN')
  const big = await unbound.dig(`big.${ZONE} TXT +tcp`)
  t.equal(dataOf(big.answer, 'TXT').join('').replaceAll(/[" ]/g, '').length, 3000, 'fetched over TCP')
})
