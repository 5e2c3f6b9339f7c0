// `scheduler.dns`: what is allowed and hardly meant.
import t from 'tap'
import { SHOWS, records, warnings } from '../fixtures/config/dns-text.ts'
import { edgeEntry } from '../kit/scheduler.ts'

t.test('warnings of edges and properties that DNS cannot lead to', async (t) => {
  const entry = edgeEntry('gz-1', 'guangzhou', { url: 'http://gz-1.lab.cdn.example.com' })
  t.same(await warnings(t, {}, { edges: [entry] }), [
    'edges: have no `addresses`: DNS has nothing to answer for properties',
  ])
  const edges = [edgeEntry('gz-2', 'guangzhou', { addresses: ['192.0.2.12'] }), entry]
  const lost =
    'edges[1].url: has a host in the zone cdn.example.com that is not found there: the edge has no `addresses`'
  t.same(await warnings(t, {}, { edges }), [lost])
  for (const line of [
    'gz-1.lab CNAME a.example.org',
    '*.lab A 192.0.2.1',
    '* A 192.0.2.1',
    'lab NS ns.example.org',
  ])
    t.same(await warnings(t, records(line), { edges }), [], line)
  const sameHost = edgeEntry('gz-3', 'guangzhou', {
    url: 'http://gz-1.lab.cdn.example.com:81',
    addresses: ['192.0.2.13'],
  })
  t.same(await warnings(t, {}, { edges: [sameHost, entry] }), [])

  const ids = ['shows.de', 'a_b', 'a'.repeat(64)]
  const properties = ids.map((id) => ({ ...SHOWS, id }))
  const unnamed =
    'has no name in scheduler.dns.zone: it would have to be a DNS label, at most 63 of a-z, 0-9 and "-"'
  t.same(
    await warnings(t, {}, { properties }),
    ids.map((_, i) => `properties[${i}].id: ${unnamed}`),
  )
  const zone = `${'a'.repeat(63)}.`.repeat(3) + 'example'
  t.same(await warnings(t, { zone }, { properties: [{ ...SHOWS, id: 'b'.repeat(63) }] }), [
    `properties[0].id: ${unnamed}`,
  ])
})

t.test('warnings of what means something else in a zone file', async (t) => {
  const cases: [string, string][] = [
    [
      'www.cdn.example.com A 192.0.2.1',
      'records[0].name: ends in a zone and is completed by scheduler.dns.zone once more; with a final dot it is whole',
    ],
    [
      'www CNAME shop',
      'records[0].data: is a name of one label: names here are whole, no zone completes them',
    ],
    ['@ MX 10 mail', 'records[0].data: is a name of one label: names here are whole, no zone completes them'],
    ['@ TXT "v=spf1 -all"', 'records[0].data: is text with its quotes: leave them out if they are not meant'],
    [
      'films CNAME shows.cdn.example.com',
      "records[0]: leads to the property shows, which edges do not know by this name: put it into the property's hosts, without a record",
    ],
  ]
  for (const [line, expected] of cases) t.same(await warnings(t, records(line)), [expected], line)
  t.same(await warnings(t, { nameservers: ['ns1'] }), [
    'nameservers[0]: is a name of one label: names here are whole, no zone completes them',
  ])
})

const address = (data: string, ttl?: number) => ({ name: 'www', type: 'A', data, ttl })

t.test('a warning of records of one set with several lifetimes', async (t) => {
  t.same(
    await warnings(t, {
      records: [address('192.0.2.1'), address('192.0.2.2', 300), address('192.0.2.3', 60)],
    }),
    [
      'records[2].ttl: differs from that of scheduler.dns.records[0], of the same name and type: the least counts for all',
    ],
  )
})
