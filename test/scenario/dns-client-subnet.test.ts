// EDNS Client Subnet (RFC 7871): the client's network decides instead of its resolver's address, and the scope says for
// how large a network the answer holds.
import path from 'node:path'
import dnsPacket from 'dns-packet'
import t from 'tap'
import { nameBytes, optBytes, optionBytes, queryBytes } from '../kit/dns-bytes.ts'
import { askOverUdp } from '../kit/dns-client.ts'
import { SHOWS, ZONE, dataOf, dig, startDnsCluster } from '../kit/dns-cluster.ts'
import { writeMmdb } from '../kit/mmdb-file.ts'
import { tempDirectory } from '../kit/temp.ts'

const NAME = `shows.${ZONE}`
const directory = await tempDirectory(t)
const city = path.join(directory, 'city.mmdb')
await writeMmdb(city, {
  // Near Guangzhou and near Frankfurt; no coverage has them.
  '60.0.0.0/12': { latitude: 23, longitude: 113 },
  '80.0.0.0/20': { latitude: 50, longitude: 9 },
  '2a00::/24': { latitude: 50, longitude: 9 },
})

const cluster = await startDnsCluster(
  t,
  { addresses: 1, records: [{ name: 'static', type: 'A', data: '192.0.2.99' }] },
  {
    scheduler: { geoip: { city } },
    properties: [SHOWS],
    sites: [
      {
        id: 'guangzhou',
        location: { lat: 23.13, lon: 113.26 },
        coverage: { networks: ['198.18.0.0/16', '2001:db8:c::/48'] },
      },
      {
        id: 'frankfurt',
        location: { lat: 50.11, lon: 8.68 },
        coverage: { networks: ['198.18.7.0/24', '127.0.0.0/8'] },
      },
    ],
  },
)

/** The site of the answer, and the option as it came back. */
async function answerFor(
  subnet: string,
  type = 'A',
  port = cluster.port,
): Promise<[string, string | undefined]> {
  const { answer, text } = await dig(port, `${NAME} ${type} +subnet=${subnet}`)
  const site = {
    '192.0.2.1': 'guangzhou',
    '192.0.2.2': 'frankfurt',
    '2001:db8:1': 'guangzhou',
    '2001:db8:2': 'frankfurt',
  }
  const sites = dataOf(answer, type).map(
    (address) => Object.entries(site).find(([start]) => address.startsWith(start))?.[1],
  )
  return [[...new Set(sites)].join(' '), /CLIENT-SUBNET: (\S+)/.exec(text)?.[1]]
}

t.test('a coverage network is the scope, also where another lies within it', async (t) => {
  t.strictSame(await answerFor('198.18.7.0/24'), ['frankfurt', '198.18.7.0/24/24'])
  t.strictSame(
    await answerFor('198.18.200.0/24'),
    ['guangzhou', '198.18.200.0/24/17'],
    'what is free of the inner one',
  )
  t.strictSame(await answerFor('198.18.6.0/24'), ['guangzhou', '198.18.6.0/24/24'], 'its neighbour')
  t.strictSame(await answerFor('2001:db8:c:1::/64', 'AAAA'), ['guangzhou', '2001:db8:c:1::/64/48'])
})

t.test('a scope longer than what was asked for says that clients in it may get others', async (t) => {
  t.strictSame(await answerFor('198.18.0.0/16'), ['guangzhou', '198.18.0.0/16/22'])
})

t.test('elsewhere the network of GeoIP is the scope', async (t) => {
  t.strictSame(await answerFor('60.1.2.0/24'), ['guangzhou', '60.1.2.0/24/12'])
  t.strictSame(await answerFor('80.0.3.0/24'), ['frankfurt', '80.0.3.0/24/20'])
  t.strictSame(await answerFor('2a00:0:1::/48', 'AAAA'), ['frankfurt', '2a00:0:1::/48/24'])
  t.strictSame(
    await answerFor('60.1.2.0/24', 'AAAA'),
    ['guangzhou', '60.1.2.0/24/12'],
    'the family of the answer is another matter',
  )
})

t.test('every client within a scope gets the same edge', async (t) => {
  const answers = new Set<string>()
  for (const third of [128, 131, 150, 177, 200, 209, 240, 255]) {
    const { answer } = await dig(cluster.port, `${NAME} A +subnet=198.18.${third}.0/24`)
    for (const address of dataOf(answer, 'A')) answers.add(address)
  }
  t.equal(answers.size, 1)
})

t.test('/0 lets nothing of the client be used: the resolver decides, for everyone', async (t) => {
  t.strictSame(await answerFor('0.0.0.0/0'), ['frankfurt', '0.0.0.0/0/0'], 'where 127.0.0.1 is')
})

t.test('what does not depend on the client has scope 0, and no option was not asked for', async (t) => {
  for (const question of [`static.${ZONE} A`, `missing.${ZONE} A`, `${ZONE} SOA`]) {
    t.match(
      (await dig(cluster.port, `${question} +subnet=198.18.7.0/24`)).text,
      'CLIENT-SUBNET: 198.18.7.0/24/0',
      question,
    )
  }
  t.notMatch((await dig(cluster.port, `${NAME} A`)).text, 'CLIENT-SUBNET')
})

t.test('where it is turned off nothing is used, and scope 0 says so', async (t) => {
  const { port } = await startDnsCluster(t, { clientSubnet: false })
  const [guangzhou, frankfurt] = [
    await answerFor('203.0.113.0/24', 'A', port),
    await answerFor('198.51.100.0/24', 'A', port),
  ]
  t.equal(guangzhou[0], frankfurt[0])
  t.match(guangzhou[1], /\/0$/)
})

/** Option data in hex: family, source prefix, scope prefix, address. */
const MALFORMED = {
  'no data': '',
  'shorter than its head': '000118',
  'an unknown family': '0003180001020304',
  'a scope in a query': '00011808c61207',
  'a prefix longer than the family': '000121 00c6120700 00',
  'fewer octets than the prefix needs': '00011800c612',
  'more octets than it needs': '00011800c6120700',
  'a bit set behind the prefix': '00011700c61207',
  'an IPv6 prefix longer than there is': `00028100${'20'.repeat(17)}`,
}

t.test('a malformed option is FORMERR', async (t) => {
  for (const [what, hex] of Object.entries(MALFORMED)) {
    const options = [optionBytes(8, hex.replaceAll(' ', ''))]
    const [reply] = await askOverUdp(cluster.port, [
      queryBytes({ name: nameBytes(NAME), records: [optBytes({ options })] }),
    ])
    t.equal((reply?.readUInt8(3) ?? -1) & 0x0f, 1, what)
    t.strictSame(dnsPacket.decode(reply ?? Buffer.alloc(12)).answers, [], what)
  }
  const twice = optBytes({ options: [optionBytes(8, '00011800c61207'), optionBytes(8, '00011800c61207')] })
  const [reply] = await askOverUdp(cluster.port, [queryBytes({ name: nameBytes(NAME), records: [twice] })])
  t.equal((reply?.readUInt8(3) ?? -1) & 0x0f, 1, 'two of them')
})
