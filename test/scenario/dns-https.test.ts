// HTTPS records (RFC 9460): a browser learns in one answer that the edges speak h2 over TLS, and where they are.
import t from 'tap'
import { ZONE, dataOf, dig, startDnsCluster } from '../kit/dns-cluster.ts'
import { edgeEntry } from '../kit/scheduler.ts'

const https = (id: string, site: string, port: string, addresses: string[]) =>
  edgeEntry(id, site, { url: `https://${id}.example.com${port}`, addresses })

t.test('alpn, the port where it is not 443, and the addresses of both families as hints', async (t) => {
  const edges = [
    https('gz-1', 'guangzhou', '', ['192.0.2.11', '2001:db8:1::11']),
    https('gz-2', 'guangzhou', '', ['192.0.2.12']),
    https('fra-1', 'frankfurt', ':8443', ['192.0.2.21', '2001:db8:2::21']),
  ]
  const { port } = await startDnsCluster(t, { addresses: 2 }, { edges })
  const of = async (subnet: string) => (await dig(port, `shows.${ZONE} HTTPS +subnet=${subnet}`)).answer
  const [guangzhou = '', ...others] = await of('203.0.113.0/24')
  t.match(
    guangzhou,
    /^shows\.cdn\.example\.com\. 20 IN HTTPS 1 \. alpn="h2" ipv4hint=(192\.0\.2\.1[12],?){2} ipv6hint=2001:db8:1::11$/,
  )
  t.strictSame(others, [])
  t.strictSame(dataOf(await of('198.51.100.0/24'), 'HTTPS'), [
    '1 . alpn="h2" port=8443 ipv4hint=192.0.2.21 ipv6hint=2001:db8:2::21',
  ])
})

t.test('none where the two families lie at edges of different ports: the record has one', async (t) => {
  const edges = [
    https('gz-1', 'guangzhou', '', ['2001:db8:1::11']),
    https('fra-1', 'frankfurt', ':8443', ['192.0.2.21']),
  ]
  const { port } = await startDnsCluster(t, {}, { edges })
  t.strictSame((await dig(port, `shows.${ZONE} HTTPS`)).answer, [])
})

t.test('edges that speak plain HTTP have none', async (t) => {
  const { port } = await startDnsCluster(t)
  const { status, answer, authority } = await dig(port, `shows.${ZONE} HTTPS`)
  t.strictSame([status, answer, authority.length], ['NOERROR', [], 1])
})
