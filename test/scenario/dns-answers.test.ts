// What the name server says of each kind of name and type, asked with BIND's dig.
import dnsPacket from 'dns-packet'
import t from 'tap'
import { nameBytes, optBytes, optionBytes, queryBytes } from '../kit/dns-bytes.ts'
import { askOverUdp } from '../kit/dns-client.ts'
import { DNS_EDGES, SHOWS, ZONE, dataOf, dig, kdig, startDnsCluster } from '../kit/dns-cluster.ts'
import { edgeEntry } from '../kit/scheduler.ts'

const cluster = await startDnsCluster(
  t,
  {
    nameservers: [`ns1.${ZONE}`],
    zones: ['movies.example.net'],
    addresses: 8,
    records: [
      { name: 'ns1', type: 'A', data: '192.0.2.53' },
      { name: 'ns1', type: 'AAAA', data: '2001:db8::53' },
      { name: '@', type: 'MX', data: '10 mail.example.com' },
      { name: '@', type: 'CAA', data: '0 issue "letsencrypt.org"' },
      { name: '@', type: 'TXT', data: 'v=spf1 -all', ttl: 60 },
      { name: 'long', type: 'TXT', data: 'x'.repeat(300) },
      { name: '_https._tcp', type: 'SRV', data: `0 5 443 shows.${ZONE}` },
      { name: 'film', type: 'CNAME', data: `second.${ZONE}` },
      { name: 'second', type: 'CNAME', data: `shows.${ZONE}` },
      { name: 'away', type: 'CNAME', data: 'player.example.net' },
      { name: 'nowhere', type: 'CNAME', data: `missing.${ZONE}` },
      { name: 'circle', type: 'CNAME', data: `circle.${ZONE}` },
      { name: '_acme.movies.example.net.', type: 'TXT', data: 'of another zone' },
    ],
  },
  {
    properties: [
      { ...SHOWS, hosts: ['shows.example.com', `watch.${ZONE}`] },
      { ...SHOWS, id: 'movies', hosts: ['movies.example.net'] },
    ],
    edges: [
      ...DNS_EDGES,
      edgeEntry('near', 'guangzhou', { url: `http://near.edges.${ZONE}`, addresses: ['192.0.2.14'] }),
    ],
  },
)
const ask = (query: string) => dig(cluster.port, query)

const SOA =
  /^cdn\.example\.com\. 30 IN SOA ns1\.cdn\.example\.com\. hostmaster\.cdn\.example\.com\. \d+ 7200 900 1209600 30$/
const GUANGZHOU = '+subnet=203.0.113.0/24'
const GUANGZHOU_4 = ['192.0.2.11', '192.0.2.12', '192.0.2.13', '192.0.2.14']

t.test(
  "a property is answered with the edges of the client's site, each family with those that have it",
  async (t) => {
    for (const name of [`shows.${ZONE}`, `watch.${ZONE}`, 'movies.example.net', `movies.${ZONE}`]) {
      const ipv4 = await ask(`${name} A ${GUANGZHOU}`)
      t.strictSame(dataOf(ipv4.answer, 'A').toSorted(), GUANGZHOU_4, name)
      t.ok(
        ipv4.answer.every((record) => record.startsWith(`${name}. 20 IN A `)),
        'of the steered lifetime',
      )
      t.strictSame(ipv4.flags, ['qr', 'aa', 'rd'])
      const ipv6 = await ask(`${name} AAAA ${GUANGZHOU}`)
      t.strictSame(dataOf(ipv6.answer, 'AAAA').toSorted(), ['2001:db8:1::11', '2001:db8:1::12'])
    }
    const frankfurt = await ask(`shows.${ZONE} A +subnet=198.51.100.0/24`)
    t.strictSame(dataOf(frankfurt.answer, 'A'), ['192.0.2.21'])
  },
)

t.test('the order of addresses changes with each answer', async (t) => {
  const clientSubnet = optBytes({ options: [optionBytes(8, '00011800cb0071')] })
  const query = queryBytes({ name: nameBytes(`shows.${ZONE}`), records: [clientSubnet] })
  // So many that some follow each other before the answer is made anew.
  const replies = await askOverUdp(
    cluster.port,
    Array.from({ length: 16 }, () => query),
  )
  const first = replies.map((reply) => {
    const [answer] = dnsPacket.decode(reply).answers ?? []
    return answer?.type === 'A' ? answer.data : ''
  })
  t.strictSame([...new Set(first)].toSorted(), GUANGZHOU_4)
})

t.test('static records of every type', async (t) => {
  const { answer, additional } = await ask(`${ZONE} NS`)
  t.strictSame(answer, [`${ZONE}. 300 IN NS ns1.${ZONE}.`])
  t.strictSame(additional, [`ns1.${ZONE}. 300 IN A 192.0.2.53`, `ns1.${ZONE}. 300 IN AAAA 2001:db8::53`])
  const said = async (query: string) => (await ask(query)).answer
  t.strictSame(await said(`${ZONE} MX`), [`${ZONE}. 300 IN MX 10 mail.example.com.`])
  t.strictSame(await said(`${ZONE} CAA`), [`${ZONE}. 300 IN CAA 0 issue "letsencrypt.org"`])
  t.strictSame(await said(`${ZONE} TXT`), [`${ZONE}. 60 IN TXT "v=spf1 -all"`])
  t.strictSame(dataOf(await said(`long.${ZONE} TXT`), 'TXT'), [`"${'x'.repeat(255)}" "${'x'.repeat(45)}"`])
  t.strictSame(dataOf(await said(`_https._tcp.${ZONE} SRV`), 'SRV'), [`0 5 443 shows.${ZONE}.`])
  t.match((await said(`${ZONE} SOA`))[0], /^cdn\.example\.com\. 300 IN SOA ns1\.cdn\.example\.com\. /)
  t.strictSame(
    await said(`near.edges.${ZONE} A`),
    [`near.edges.${ZONE}. 300 IN A 192.0.2.14`],
    'an edge by its name',
  )
})

t.test('a host that was delegated here is a zone of its own', async (t) => {
  const { answer } = await ask('movies.example.net NS')
  t.strictSame(answer, [`movies.example.net. 300 IN NS ns1.${ZONE}.`])
  const none = await ask('movies.example.net TXT')
  t.match(
    none.authority[0],
    /^movies\.example\.net\. 30 IN SOA ns1\.cdn\.example\.com\. hostmaster\.movies\.example\.net\. /,
  )
  t.strictSame(dataOf((await ask('_acme.movies.example.net TXT')).answer, 'TXT'), ['"of another zone"'])
  t.equal((await ask('other.movies.example.net A')).status, 'NXDOMAIN')
})

t.test('CNAMEs are followed within the zones, and no further', async (t) => {
  const film = await ask(`film.${ZONE} A ${GUANGZHOU}`)
  const chain = [`film.${ZONE}. 300 IN CNAME second.${ZONE}.`, `second.${ZONE}. 300 IN CNAME shows.${ZONE}.`]
  t.strictSame(film.answer.slice(0, 2), chain)
  t.strictSame(dataOf(film.answer, 'A').toSorted(), GUANGZHOU_4)
  t.match(film.text, 'CLIENT-SUBNET: 203.0.113.0/24/24', 'the scope is that of the end')
  const mx = await ask(`film.${ZONE} MX`)
  t.strictSame(mx.answer, chain)
  t.match(mx.authority, [SOA], 'the end has no such type')
  t.strictSame((await ask(`film.${ZONE} CNAME`)).answer, chain.slice(0, 1))
  const away = await ask(`away.${ZONE} A`)
  t.strictSame([away.status, away.answer], ['NOERROR', [`away.${ZONE}. 300 IN CNAME player.example.net.`]])
  const nowhere = await ask(`nowhere.${ZONE} A`)
  t.strictSame([nowhere.status, nowhere.answer.length], ['NXDOMAIN', 1], 'RFC 2308 §2.1')
  t.match(nowhere.authority, [SOA])
  t.equal((await ask(`circle.${ZONE} A`)).answer.length, 1, 'a circle ends')
})

t.test(
  'what is not there: no such name, no such type, with the SOA for as long as it may be kept',
  async (t) => {
    const missing = await ask(`missing.${ZONE} A`)
    t.strictSame([missing.status, missing.answer, missing.flags.includes('aa')], ['NXDOMAIN', [], true])
    t.match(missing.authority, [SOA])
    for (const query of [
      `${ZONE} A`,
      `shows.${ZONE} TXT`,
      `ns1.${ZONE} MX`,
      `near.edges.${ZONE} AAAA`,
      `shows.${ZONE} HTTPS`,
    ]) {
      const none = await ask(query)
      t.strictSame([none.status, none.answer], ['NOERROR', []], query)
      t.match(none.authority, [SOA], query)
    }
  },
)

t.test('a name outside of the zones is refused, with the reason', async (t) => {
  for (const name of [
    'example.com',
    'shows.example.com',
    'example.net',
    '.',
    'cdn.example.com.evil.example',
  ]) {
    const { status, flags, text } = await ask(`${name} A`)
    t.strictSame([status, flags], ['REFUSED', ['qr', 'rd']], name)
    t.match(text, /EDE: 20 \(Not Authoritative\)/)
  }
})

t.test('ANY has one small record (RFC 8482)', async (t) => {
  for (const name of [ZONE, `shows.${ZONE}`]) {
    t.strictSame((await ask(`${name} ANY`)).answer, [`${name}. 300 IN HINFO "RFC8482" ""`])
  }
})

t.test('the case of the question is kept, the name is found in any', async (t) => {
  const name = 'sHoWs.CdN.eXaMpLe.CoM'
  const { text, answer } = await ask(`${name} A ${GUANGZHOU}`)
  t.match(text, `;${name}.`)
  t.strictSame(dataOf(answer, 'A').toSorted(), GUANGZHOU_4)
  const strict = await kdig(cluster.port, `${name} A`)
  t.equal(strict.status, 'NOERROR', 'kdig compares the question byte by byte')
})
