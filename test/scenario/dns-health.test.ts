// Which edges are answered as their health changes: none before it is known, none that is dead while another lives, and
// each family of addresses by itself.
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { ZONE, dataOf, dig, startDnsCluster } from '../kit/dns-cluster.ts'
import type { DnsCluster } from '../kit/dns-cluster.ts'
import { metricOf } from '../kit/metric.ts'
import { until } from '../kit/until.ts'

t.jobs = 2

/** Dead after five seconds without a report, out of the answers half a second later, and some for a slow machine. */
const GONE_WITHIN_MS = 6000

/** What clients of Guangzhou get, several answers put together, or the response code. */
async function addresses({ port }: DnsCluster, type: 'A' | 'AAAA'): Promise<string> {
  const seen = new Set<string>()
  for (let i = 0; i < 4; i++) {
    const { status, answer } = await dig(port, `shows.${ZONE} ${type} +subnet=203.0.113.0/24`)
    for (const one of status === 'NOERROR' ? dataOf(answer, type) : [status]) seen.add(one)
  }
  return [...seen].toSorted().join(' ')
}

for (const [unready, status] of [
  ['servfail', 'SERVFAIL'],
  ['refused', 'REFUSED'],
] as const) {
  t.test(
    `before the first report edges are ${status}, all else is answered`,
    { buffered: true },
    async (t) => {
      const records = [{ name: 'film', type: 'CNAME', data: `shows.${ZONE}` }]
      const cluster = await startDnsCluster(t, { unready, records }, { reports: false })
      for (const query of [`shows.${ZONE} A`, `shows.${ZONE} AAAA`, `film.${ZONE} A`]) {
        const reply = await dig(cluster.port, query)
        t.strictSame([reply.status, dataOf(reply.answer, 'A')], [status, []], query)
        t.match(reply.text, /EDE: 14 \(Not Ready\)/)
      }
      t.equal((await dig(cluster.port, `${ZONE} NS`)).status, 'NOERROR')

      cluster.scheduler.keepReporting('fra-1', { uptimeMs: 1e9 })
      await cluster.scheduler.untilState('fra-1', 'up')
      t.equal(await addresses(cluster, 'A'), '192.0.2.21', 'none of the nearer ones, which are not heard of')
      t.equal(await addresses(cluster, 'AAAA'), '2001:db8:2::21')
    },
  )
}

t.test('a dead edge is not answered while another lives', { buffered: true, timeout: 60_000 }, async (t) => {
  const cluster = await startDnsCluster(t, { addresses: 8 })
  t.equal(await addresses(cluster, 'A'), '192.0.2.11 192.0.2.12 192.0.2.13')
  t.equal(await addresses(cluster, 'AAAA'), '2001:db8:1::11 2001:db8:1::12')

  cluster.silence('gz-1')
  cluster.silence('gz-2')
  const silentMs = systemClock.monotonic()
  await until('they are gone', async () => (await addresses(cluster, 'A')) === '192.0.2.13')
  t.ok(systemClock.monotonic() - silentMs < GONE_WITHIN_MS, `after ${systemClock.monotonic() - silentMs} ms`)
  t.equal(
    await addresses(cluster, 'AAAA'),
    '2001:db8:2::21',
    'gz-3 has no IPv6: that alone goes to Frankfurt',
  )

  await cluster.override('gz-3', 'down')
  await until('the site is skipped', async () => (await addresses(cluster, 'A')) === '192.0.2.21')

  await cluster.override('fra-1', 'down')
  await until('none lives', async () => (await addresses(cluster, 'A')) === 'SERVFAIL')
  for (const type of ['A', 'AAAA', 'HTTPS']) {
    const { status, flags, answer, text } = await dig(cluster.port, `shows.${ZONE} ${type}`)
    t.strictSame([status, flags, answer], ['SERVFAIL', ['qr', 'rd'], []], type)
    t.match(text, /EDE: 22 \(No Reachable Authority\): \(no edge can serve this now\)/)
  }
  const refused = 'edgeward_scheduler_dns_queries_total{transport="udp",type="A",rcode="SERVFAIL"}'
  t.ok((await metricOf(cluster.scheduler.admin, refused)) > 0)

  await cluster.override('gz-3', null)
  await until('one lives again', async () => (await addresses(cluster, 'A')) === '192.0.2.13')
  t.equal(await addresses(cluster, 'AAAA'), 'SERVFAIL', 'of those that have IPv6 none does')
})
