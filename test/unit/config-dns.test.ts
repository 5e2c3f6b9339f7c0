// `scheduler.dns`: what is said of each mistake that stops the start.
import t from 'tap'
import { stringify } from 'yaml'
import { DNS, EDGES, IN_ZONE, SHOWS, errors, records, warnings } from '../fixtures/config/dns-text.ts'
import type { Keys } from '../fixtures/config/dns-text.ts'
import { problemsOf, schedulerOf } from '../fixtures/config/load-text.ts'
import { edgeEntry, schedulerSettingsText } from '../kit/scheduler.ts'

t.test('an error has the line of its key, and that of the other', async (t) => {
  const text = `cluster: test
sites: [{ id: north }]
origins: [{ id: studio, url: http://studio.example }]
scheduler:
  dns:
    zone: cdn.example.com
    nameservers: [ns1.cdn.example.com]
    records:
      - { name: shows, type: A, data: 192.0.2.1 }
      - name: www.example.org.
        type: TXT
        data: hello
edges: [{ id: e, site: north, url: http://e.example, addresses: [192.0.2.2], keyHash: "sha256:${'0'.repeat(64)}" }]
properties:
  - id: shows
    origins: [{ id: studio }]
`
  t.same(await problemsOf(schedulerOf(t, text)), [
    '7 scheduler.dns.nameservers[0]: is in a zone and has no A or AAAA record there: add it to scheduler.dns.records, or nobody finds it',
    '10 scheduler.dns.records[1].name: is in none of the zones, scheduler.dns.zone and scheduler.dns.zones; without its final dot it is completed by `zone`',
    '15 properties[0].id: in scheduler.dns.zone is also the name of scheduler.dns.records[0] (line 9), which alone would be answered',
  ])
})

t.test('nothing is wrong with', async (t) => {
  const given: [Keys, Keys?][] = [
    [{}],
    [
      {
        zones: ['movies.example.org'],
        ...records('movies.example.org. MX 10 mail.example.org', '@ TXT hello'),
      },
    ],
    [{ nameservers: ['ns1.cdn.example.com'], ...records('NS1.cdn.example.com. AAAA 2001:db8::53') }],
    [
      { nameservers: ['gz-1.cdn.example.com'] },
      { edges: [{ ...EDGES[0], url: 'http://gz-1.cdn.example.com' }] },
    ],
    [
      {
        nameservers: ['ns.cdn.example.com'],
        schedulers: { name: 'ns.cdn.example.com', addresses: ['192.0.2.53'] },
      },
    ],
    [records('lab NS ns1.lab.cdn.example.com', 'lab NS ns.example.org', 'ns1.lab A 192.0.2.53')],
    [records('lab NS lab.cdn.example.com', 'lab A 192.0.2.53', 'shop NS ns1.lab.cdn.example.com')],
    [records('* A 192.0.2.1', '*.lab CNAME lab.example.org', '_sip._tcp SRV 0 5 443 sip.example.org')],
    [
      {
        zones: ['in.lab.cdn.example.com'],
        ...records('lab NS ns.example.org', 'www.in.lab A 192.0.2.1'),
      },
    ],
    [records('shows TXT hello', 'shows CAA 0 issue "letsencrypt.org"')],
    [{}, { properties: [{ ...SHOWS, hosts: ['shows.cdn.example.com', '*.cdn.example.com', '*', '[::1]'] }] }],
    [
      records('films CNAME shows.cdn.example.com'),
      { properties: [{ ...SHOWS, hosts: ['*.cdn.example.com'] }] },
    ],
    [{}, { properties: [{ ...SHOWS, hosts: ['*.gz-1.cdn.example.com'] }], edges: [IN_ZONE] }],
    [{ listen: ['127.0.0.1:0', '127.0.0.1:0'], cookieSecrets: ['00112233445566778899AAbbccddeeff'] }],
    [{ rateLimit: false, nsid: 'ns1 of the north' }],
  ]
  for (const [dns, over] of given) t.same(await warnings(t, dns, over), [], JSON.stringify(dns))
})

t.test('values that no zone can hold, by the schema', async (t) => {
  const name = 'must be a domain name such as cdn.example.com'
  const cases: [Keys, string][] = [
    [{ zone: 'cdn..example' }, `zone: ${name}`],
    [{ zone: undefined }, 'zone: is missing'],
    [{ zone: `${'a'.repeat(63)}.`.repeat(4).slice(0, -1) }, `zone: ${name}`],
    [{ nameservers: [] }, 'nameservers: must have at least 1 entry'],
    [{ nameservers: ['192.0.2.53'] }, `nameservers[0]: ${name}`],
    [{ hostmaster: 'me@example.com' }, `hostmaster: ${name}`],
    [
      { listen: 53 },
      'listen: must be an address and port such as 0.0.0.0:8080 or [::]:8080, or a list of them',
    ],
    [{ listen: ['53'] }, 'listen[0]: must be an address and port such as 0.0.0.0:8080 or [::]:8080'],
    [{ ttl: { steered: '1500ms' } }, 'ttl.steered: must be of whole seconds, at least 1s'],
    [{ addresses: 9 }, 'addresses: must be at most 8'],
    [{ rateLimit: true }, 'rateLimit: must be false, or hold keys of its own'],
    [{ rateLimit: null }, 'rateLimit: is empty; give it a value or remove it'],
    [{ rateLimit: { rate: 0 } }, 'rateLimit.rate: must be at least 1'],
    [
      { rateLimit: { exempt: ['10.0.0.1/8'] } },
      'rateLimit.exempt[0]: "10.0.0.1/8" has bits set after its prefix; the network is 10.0.0.0/8',
    ],
    [{ nsid: '' }, 'nsid: must be 1 to 64 printable ASCII characters'],
    [{ unready: 'nxdomain' }, 'unready: must be servfail or refused'],
    [{ dnssec: { keys: [] } }, 'dnssec.keys: must have at least 1 entry'],
    [{ schedulers: { name: 'ns.cdn.example.com' } }, 'schedulers.addresses: is missing'],
    [{ cookieSecrets: ['hush'] }, 'cookieSecrets[0]: must be 32 hex digits'],
    [{ cookieSecrets: [1234] }, 'cookieSecrets[0]: must be text: put it in quotes'],
  ]
  for (const [dns, expected] of cases) t.same(await errors(t, dns), [expected])
})

t.test('records that are none, by the schema', async (t) => {
  const cases: [string, string][] = [
    [
      'a..b A 192.0.2.1',
      'name: must be `@`, or a name in the zone such as www or *.www; with a final dot it is whole',
    ],
    ['www PTR a.example', 'type: must be A or AAAA or CAA or CNAME or MX or NS or SRV or TXT'],
    ['www A 2001:db8::1', 'data: must be an IPv4 address for A'],
    ['www AAAA 192.0.2.1', 'data: must be an IPv6 address for AAAA'],
    ['www AAAA fe80::1%eth0', 'data: must be an IPv6 address for AAAA'],
    ['www CNAME 192.0.2.1', 'data: must be a domain name for CNAME'],
    ['www MX mail.example', 'data: must be a preference and a name such as 10 mail.example.com for MX'],
    ['www MX 10 192.0.2.1', 'data: must be a preference and a name such as 10 mail.example.com for MX'],
    [
      'www SRV 0 5 70000 a.example',
      'data: must be priority, weight, port and a name such as 0 5 443 host.example.com for SRV',
    ],
    [
      'www CAA letsencrypt.org',
      'data: must be flags, tag and value such as 0 issue "letsencrypt.org" for CAA',
    ],
    ['www TXT naïve', 'data: must be text of at most 4096 printable ASCII characters for TXT'],
  ]
  for (const [line, expected] of cases)
    t.same(await errors(t, records(line)), [`records[0].${expected}`], line)
  const record = { name: 'www', type: 'A', data: '192.0.2.1' }
  t.same(
    await errors(t, {
      records: [
        { ...record, ttl: '5m' },
        { ...record, ttl: 0 },
      ],
    }),
    ['records[0].ttl: must be a number of seconds', 'records[1].ttl: must be at least 1'],
  )
})

const BELOW_A_CUT =
  'records[1].name: is delegated to others by scheduler.dns.records[0]: only addresses of their name servers can be here'

t.test('records where they cannot be', async (t) => {
  const outside =
    'is in none of the zones, scheduler.dns.zone and scheduler.dns.zones; without its final dot it is completed by `zone`'
  const cases: [string[], string[]][] = [
    [['cdn.example.com.evil. A 192.0.2.1'], [`records[0].name: ${outside}`]],
    [['xcdn.example.com. A 192.0.2.1'], [`records[0].name: ${outside}`]],
    [
      [`${`${'a'.repeat(63)}.`.repeat(3)}${'b'.repeat(50)} A 192.0.2.1`],
      ['records[0].name: is longer with its zone than a domain name, 253 characters'],
    ],
    [
      ['@ CNAME a.example.org'],
      ['records[0].name: cannot be a zone itself for CNAME: it has SOA and NS records'],
    ],
    [
      ['further.example.org. NS ns.example.org'],
      ['records[0].name: cannot be a zone itself for NS: its name servers are in scheduler.dns.nameservers'],
    ],
    [['*.lab NS ns.example.org'], ['records[0].name: cannot have a `*` for NS']],
    [
      ['www CNAME a.example.org', 'WWW CNAME b.example.org', 'www TXT hello'],
      [1, 2].map(
        (i) => `records[${i}].name: is also scheduler.dns.records[0]: a CNAME is the only record of its name`,
      ),
    ],
    [['www TXT hello', 'www TXT Hello', 'www TXT hello'], ['records[2]: is also scheduler.dns.records[0]']],
    [['www MX 10 a.example', 'www MX 10 A.example.'], ['records[1]: is also scheduler.dns.records[0]']],
    [['lab NS ns.example.org', 'www.lab A 192.0.2.1'], [BELOW_A_CUT]],
    [['lab NS ns.example.org', 'lab TXT hello'], [BELOW_A_CUT]],
    [['lab NS ns.example.org', 'deep.in.lab NS ns.example.org'], [BELOW_A_CUT]],
    [['lab NS ns1.lab.cdn.example.com', 'ns1.lab TXT hello', 'ns1.lab A 192.0.2.1'], [BELOW_A_CUT]],
  ]
  for (const [lines, expected] of cases)
    t.same(await errors(t, { zones: ['further.example.org'], ...records(...lines) }), expected)
})

const texts = (count: number) => Array.from({ length: count }, (_, i) => `big TXT ${i}${'x'.repeat(4000)}`)

t.test('more records of one name and type than a reply holds', async (t) => {
  t.same(await errors(t, records(...texts(4))), [])
  t.same(await errors(t, records(...texts(6))), [
    'records[4]: is beyond 16 KiB of TXT records of one name, the most there can be',
  ])
})

const also = (place: string) => `is also the name of ${place}, which alone would be answered`

t.test('names that two things would have', async (t) => {
  const ofShows = (place: string) => [`properties[0].id: in scheduler.dns.zone ${also(place)}`]
  for (const line of ['A 192.0.2.1', 'AAAA 2001:db8::1', 'CNAME a.example.org', 'NS ns.example.org'])
    t.same(await errors(t, records(`shows ${line}`)), ofShows('scheduler.dns.records[0]'), line)

  const host = { zones: ['movies.example.org'] }
  const movies = { id: 'movies', hosts: ['movies.example.org', '*.cdn.example.com'], origins: SHOWS.origins }
  t.same(
    await errors(
      t,
      { ...host, ...records('movies.example.org. A 192.0.2.1', '* A 192.0.2.1') },
      { properties: [SHOWS, movies] },
    ),
    [
      `properties[1].hosts[0]: ${also('scheduler.dns.records[0]')}`,
      `properties[1].hosts[1]: ${also('scheduler.dns.records[1]')}`,
    ],
  )
  const edges = [80, 8090].map((port) =>
    edgeEntry(`e-${port}`, 'guangzhou', {
      url: `http://shows.cdn.example.com:${port}`,
      addresses: ['192.0.2.1'],
    }),
  )
  t.same(await errors(t, {}, { edges }), ofShows('edges[0].url'), 'of the first of both edges')
  t.same(await errors(t, records('shows A 192.0.2.1'), { edges }), ofShows('scheduler.dns.records[0]'))
  const claimed = { ...movies, hosts: ['shows.cdn.example.com'] }
  t.same(await errors(t, {}, { properties: [claimed, SHOWS] }), [
    `properties[1].id: in scheduler.dns.zone ${also('properties[0].hosts[0]')}`,
  ])
  const below = { ...SHOWS, hosts: ['*.gz-1.cdn.example.com'] }
  const byHost = { scheduler: { steering: { redirect: 'host' } }, properties: [below] }
  t.same(await errors(t, {}, { ...byHost, edges: [IN_ZONE] }), [
    `properties[0].hosts[0]: ${also('edges[0].url')}`,
  ])
})

const named = (name: string, ...lines: string[]) => ({
  schedulers: { name, addresses: ['192.0.2.53'] },
  ...records(...lines),
})

t.test('the name of the schedulers', async (t) => {
  t.same(await errors(t, named('ns.example.org')), [
    'schedulers.name: is in none of the zones, scheduler.dns.zone and scheduler.dns.zones',
  ])
  t.same(await errors(t, named('ns.cdn.example.com', 'ns TXT hello', 'ns A 192.0.2.1')), [
    'schedulers.name: is also the name of scheduler.dns.records[1], which alone would be answered',
  ])
  t.same(await errors(t, named('ns.lab.cdn.example.com', 'lab NS ns.example.org')), [
    'schedulers.name: is delegated to others by scheduler.dns.records[0]',
  ])
  t.same(await errors(t, named('shows.cdn.example.com')), [
    'properties[0].id: in scheduler.dns.zone is also the name of scheduler.dns.schedulers.name, which alone would be answered',
  ])
})

t.test('name servers that nobody finds', async (t) => {
  const missing =
    'is in a zone and has no A or AAAA record there: add it to scheduler.dns.records, or nobody finds it'
  const nameservers = ['ns1.cdn.example.com', 'ns2.cdn.example.com']
  t.same(await errors(t, { nameservers, ...records('ns1 A 192.0.2.1', 'ns2 CNAME ns.example.org') }), [
    `nameservers[1]: ${missing}`,
  ])
  t.same(await errors(t, records('lab NS ns1.lab.cdn.example.com', 'shop NS ns.cdn.example.com')), [
    `records[0].data: ${missing}`,
    `records[1].data: ${missing}`,
  ])
})

t.test('zones, name servers and listeners that are there twice', async (t) => {
  t.same(await errors(t, { zones: ['movies.example', 'CDN.example.com.', 'movies.example'] }), [
    'zones[1]: "CDN.example.com." is also scheduler.dns.zone',
    'zones[2]: "movies.example" is also scheduler.dns.zones[0]',
  ])
  t.same(await errors(t, { nameservers: ['ns1.example.net', 'NS1.example.net.'] }), [
    'nameservers[1]: "NS1.example.net." is also scheduler.dns.nameservers[0]',
  ])
  t.same(await errors(t, { listen: ['[::]:53', '192.0.2.1:53', '[::]:53'] }), [
    'listen[2]: "[::]:53" is also scheduler.dns.listen[0]',
  ])
  const scheduler = { steering: { listen: '192.0.2.1:80' } }
  t.same(await errors(t, { listen: '192.0.2.1:80' }, { scheduler }), [
    'listen: "192.0.2.1:80" is also scheduler.steering.listen',
  ])
})

t.test('a zone within one that is signed', async (t) => {
  const zones = ['in.cdn.example.com', 'example.com']
  t.same(await errors(t, { zones }), [])
  const [first, ...others] = await errors(t, { zones, dnssec: { keys: ['K.private'] } })
  t.same(others, [])
  t.match(first, /^zones\[0\]: is in scheduler\.dns\.zone, which is signed/)
})

t.test('a value from the environment is in no message', async (t) => {
  const text = stringify(
    schedulerSettingsText({ edges: EDGES, scheduler: { dns: { ...DNS, cookieSecrets: ['${SECRET}'] } } }),
  )
  const found = await problemsOf(schedulerOf(t, text, { SECRET: 'hush-hush' }))
  t.match(found, [/cookieSecrets\[0\]: must be 32 hex digits$/])
  t.notMatch(found.join(), 'hush')
})
