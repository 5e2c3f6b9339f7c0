// Which name of a zone answers: wildcards as RFC 4592 has them, names that exist only by those below them (RFC 8020), and
// delegations with their glue.
import t from 'tap'
import { SHOWS, ZONE, dataOf, dig, startDnsCluster } from '../kit/dns-cluster.ts'

/** `NAME TYPE DATA` */
const RECORDS = [
  // RFC 4592 §2.2.1, without the name below a wildcard.
  '*.example TXT this is a wildcard',
  '*.example MX 10 host1.example.com',
  'host1.example A 192.0.2.1',
  '_ssh._tcp.host1.example SRV 0 0 22 host1.example.com',
  '_ssh._tcp.host2.example SRV 0 0 22 host2.example.com',
  'subdel.example NS ns.example.net',
  // Below the host *.live of a property.
  'fixed.live A 192.0.2.99',
  'a.b.live TXT there',
  `*.alias CNAME shows.${ZONE}`,
  'a.b.deep A 192.0.2.60',
  `leased NS ns.leased.${ZONE}`,
  'leased NS ns.example.net',
  'ns.leased A 192.0.2.80',
  'ns.leased AAAA 2001:db8::80',
  `leased NS ns1.${ZONE}`,
  'ns1 A 192.0.2.53',
]

const { port } = await startDnsCluster(
  t,
  {
    records: RECORDS.map((record) => {
      const [name, type, ...data] = record.split(' ')
      return { name, type, data: data.join(' ') }
    }),
  },
  {
    properties: [{ ...SHOWS, hosts: [`*.live.${ZONE}`] }],
  },
)

const ask = (name: string, type: string) => dig(port, `${name}.${ZONE} ${type} +subnet=198.51.100.0/24`)

/** Response code, then the data of that type. */
async function answered(name: string, type: string): Promise<string[]> {
  const { status, answer } = await ask(name, type)
  return [status, ...dataOf(answer, type)]
}

t.test('the example of RFC 4592 §2.2.1', async (t) => {
  const mx = ['NOERROR', '10 host1.example.com.']
  t.strictSame(await answered('host3.example', 'MX'), mx)
  t.strictSame(await answered('foo.bar.example', 'TXT'), ['NOERROR', '"this is a wildcard"'])
  t.strictSame(await answered('host3.example', 'A'), ['NOERROR'], 'covered, and has no A')
  t.strictSame(await answered('host1.example', 'MX'), ['NOERROR'], 'a name that is there is not covered')
  t.strictSame(await answered('_telnet._tcp.host1.example', 'SRV'), ['NXDOMAIN'], 'nor what is below it')
  t.strictSame(await answered('host2.example', 'MX'), ['NOERROR'], 'there by the names below it')
  t.strictSame(await answered('*.example', 'MX'), mx, 'the wildcard by its own name')
  t.strictSame(await answered('ghost.*.example', 'MX'), ['NXDOMAIN'], 'it covers nothing below itself')
  const below = await ask('host.subdel.example', 'A')
  t.strictSame(below.authority, [`subdel.example.${ZONE}. 300 IN NS ns.example.net.`], 'nor a delegation')
})

t.test('a property with a wildcard for a host answers each name below, and not the name above', async (t) => {
  for (const name of ['x1.live', 'very.deep.live']) {
    t.strictSame((await ask(name, 'A')).answer, [`${name}.${ZONE}. 20 IN A 192.0.2.21`])
  }
  t.strictSame(await answered('fixed.live', 'A'), ['NOERROR', '192.0.2.99'], 'a static record goes first')
  t.strictSame(await answered('fixed.live', 'AAAA'), ['NOERROR'], 'in all types')
  t.strictSame(await answered('b.live', 'A'), ['NOERROR'], 'b.live is there')
  t.strictSame(await answered('c.b.live', 'A'), ['NXDOMAIN'])
  t.strictSame(await answered('live', 'A'), ['NOERROR'])
})

t.test('a wildcard may be a CNAME, owned by the name that was asked', async (t) => {
  t.strictSame((await ask('any.alias', 'A')).answer, [
    `any.alias.${ZONE}. 300 IN CNAME shows.${ZONE}.`,
    `shows.${ZONE}. 20 IN A 192.0.2.21`,
  ])
})

t.test('names between a name and its zone exist without records', async (t) => {
  for (const name of ['b.deep', 'deep']) t.strictSame(await answered(name, 'A'), ['NOERROR'], name)
  for (const name of ['x.deep', 'x.a.b.deep']) t.strictSame(await answered(name, 'A'), ['NXDOMAIN'], name)
})

t.test(
  'below a delegation others answer: a referral, with the known addresses of its name servers',
  async (t) => {
    const servers = ['ns.example.net', `ns.leased.${ZONE}`, `ns1.${ZONE}`]
    const ns = servers.map((server) => `leased.${ZONE}. 300 IN NS ${server}.`)
    const addresses = [
      `ns.leased.${ZONE}. 300 IN A 192.0.2.80`,
      `ns.leased.${ZONE}. 300 IN AAAA 2001:db8::80`,
      `ns1.${ZONE}. 300 IN A 192.0.2.53`,
    ]
    for (const [name, type] of [
      ['leased', 'NS'],
      ['leased', 'TXT'],
      ['leased', 'ANY'],
      ['www.leased', 'A'],
      ['ns.leased', 'A'],
    ] as const) {
      const { status, flags, answer, authority, additional } = await ask(name, type)
      t.strictSame([status, flags, answer], ['NOERROR', ['qr', 'rd'], []], `${name} ${type}`)
      t.strictSame([authority.toSorted(), additional], [ns, addresses], `${name} ${type}`)
    }
    const ds = await ask('leased', 'DS')
    t.strictSame([ds.status, ds.flags], ['NOERROR', ['qr', 'aa', 'rd']], 'DS belongs to this side of the cut')
    t.match(ds.authority[0], /^cdn\.example\.com\. 30 IN SOA /)
  },
)
