// Where a client is: coverage by network, then by AS number, then GeoIP from real files of both record shapes, then the
// default site; and what coverage of 100,000 networks finds.
import path from 'node:path'
import t from 'tap'
import { locate } from '../../scheduler/locate/locate.ts'
import { buildSnapshot } from '../../scheduler/snapshot.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { loadPlaces } from '../../src/geo/places.ts'
import { parseIp } from '../../src/net/ip.ts'
import { writeMmdb } from '../kit/mmdb-file.ts'
import type { MmdbValue } from '../kit/mmdb-file.ts'
import { edgeEntry, schedulerSettings } from '../kit/scheduler.ts'
import type { TestScope } from '../kit/scope.ts'
import { tempDirectory } from '../kit/temp.ts'

interface Files {
  city?: Record<string, MmdbValue>
  country?: Record<string, MmdbValue>
  asn?: Record<string, MmdbValue>
}

/** Says `source site,site…` of an address. Every site has one edge. */
async function locatorOf(t: TestScope, sites: { id: string; [key: string]: unknown }[], files: Files) {
  const directory = await tempDirectory(t)
  const named = async (list: keyof Files) => {
    const records = files[list]
    if (records === undefined) return []
    const file = path.join(directory, `${list}.mmdb`)
    await writeMmdb(file, records)
    return [file]
  }
  const places = await loadPlaces({
    city: await named('city'),
    country: await named('country'),
    asn: await named('asn'),
  })
  const edges = sites.map(({ id }) => edgeEntry(`${id}-1`, id))
  const topology = buildTopology(schedulerSettings({ sites, edges }))
  const snapshot = buildSnapshot(topology, places, new Map())
  return (address: string) => {
    const { source, sites: located } = locate(parseIp(address), snapshot)
    return `${source} ${located.map(({ id }) => id).join()}`
  }
}

const BEIJING = { lat: 39.9, lon: 116.4 }
const GUANGZHOU = { lat: 23.1, lon: 113.3 }
const nested = (city: string, country: string, { lat, lon }: { lat: number; lon: number }) => ({
  city: { names: { en: city } },
  country: { iso_code: country },
  location: { latitude: lat, longitude: lon },
})

t.test('networks, then numbers, then GeoIP, then the default site', async (t) => {
  const at = await locatorOf(
    t,
    [
      { id: 'home' },
      { id: 'isp', coverage: { networks: ['60.1.0.0/16', '240e:1::/32', '100.64.0.0/10'] } },
      { id: 'telecom', coverage: { asns: [4134] } },
      { id: 'china', coverage: { countries: ['CN'] } },
    ],
    {
      country: { '60.0.0.0/8': { country_code: 'CN' }, '240e::/16': { country_code: 'CN' } },
      asn: {
        '60.0.0.0/9': { autonomous_system_number: 4134 },
        '240e::/20': { asn: 'AS4134' },
        '10.0.0.0/8': { asn: 4134 },
      },
    },
  )
  t.equal(at('60.1.2.3'), 'coverage isp', 'a network goes before its number')
  t.equal(at('60.2.0.1'), 'asn telecom', 'a number goes before the country')
  t.equal(at('60.200.0.1'), 'geoip-country china')
  t.equal(at('240e:1::7'), 'coverage isp')
  t.equal(at('240e:2::7'), 'asn telecom')
  t.equal(at('240e:f000::7'), 'geoip-country china')
  t.equal(at('::ffff:60.2.0.1'), 'asn telecom')
  t.equal(at('9.9.9.9'), 'default home')
  t.equal(at('10.1.1.1'), 'default home', 'a private address is nowhere, whatever a file says')
  t.equal(at('100.64.7.7'), 'coverage isp', 'unless the operator says whose it is')
  t.equal(at('nonsense'), 'default home')
})

t.test('a number of several sites: the position decides, else the country, else all share it', async (t) => {
  const sites = [
    { id: 'north', location: BEIJING, coverage: { asns: [4134], countries: ['CN'] } },
    { id: 'south', location: GUANGZHOU, coverage: { asns: [4134], countries: ['CN'] } },
    { id: 'abroad', location: { lat: 50.1, lon: 8.7 }, coverage: { asns: [4134], countries: ['DE'] } },
    { id: 'nearer', location: { lat: 22.5, lon: 114.1 } },
  ]
  const at = await locatorOf(t, sites, {
    city: { '60.1.0.0/16': nested('Shenzhen', 'CN', { lat: 22.5, lon: 114.1 }) },
    country: { '60.2.0.0/16': { country_code: 'CN' }, '60.3.0.0/16': { country: { iso_code: 'FR' } } },
    asn: { '60.0.0.0/8': { asn: 4134 } },
  })
  t.equal(at('60.1.0.1'), 'asn south', 'the nearest of those that take the network')
  t.match(at('60.2.0.1'), /^asn (?:north,south|south,north)$/)
  t.match(at('60.3.0.1'), /^asn (?:\w+,){2}\w+$/, 'nobody declares the country')
  t.match(at('60.4.0.1'), /^asn (?:\w+,){2}\w+$/, 'no file knows more')
  const firsts = Array.from({ length: 300 }, (_, i) => at(`60.3.${i & 255}.${i >> 8}`).split(/[ ,]/)[1])
  t.strictSame(new Set(firsts), new Set(['north', 'south', 'abroad']), 'each gets some')
})

t.test('a country is an area, never its centre', async (t) => {
  const sites = [
    { id: 'north', location: BEIJING, coverage: { countries: ['CN'] } },
    { id: 'south', location: GUANGZHOU, coverage: { countries: ['CN'] } },
  ]
  // Both shapes say a position without a city: the middle of the country.
  const at = await locatorOf(t, sites, {
    city: {
      '60.1.0.0/16': { country: { iso_code: 'CN' }, location: { latitude: 34.8, longitude: 113.7 } },
      '60.2.0.0/16': { country_code: 'CN', city: '', latitude: 34.8, longitude: 113.7 },
      '60.3.0.0/16': nested('Dongguan', 'CN', { lat: 23, lon: 113.7 }),
      '60.4.0.0/16': { country_code: 'CN', city: 'Tianjin', latitude: 39.1, longitude: 117.2 },
    },
  })
  for (const network of ['60.1', '60.2']) {
    const firsts = Array.from({ length: 200 }, (_, i) => at(`${network}.${i}.1`))
    t.strictSame(
      new Set(firsts),
      new Set(['geoip-country north,south', 'geoip-country south,north']),
      network,
    )
  }
  t.equal(at('60.3.0.1'), 'geoip-position south')
  t.equal(at('60.4.0.1'), 'geoip-position north')
})

t.test('100,000 networks with overlaps', async (t) => {
  const networks = Array.from(
    { length: 100_000 },
    (_, i) => `${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`,
  )
  const at = await locatorOf(
    t,
    [
      { id: 'even', coverage: { networks: networks.filter((_, i) => i % 2 === 0) } },
      { id: 'odd', coverage: { networks: [...networks.filter((_, i) => i % 2 === 1), '20.0.0.0/7'] } },
    ],
    {},
  )
  t.equal(at('20.3.8.1'), 'coverage even')
  t.equal(at('20.3.9.1'), 'coverage odd')
  t.equal(at('21.255.0.1'), 'coverage odd', 'the network around them')
  t.match(at('22.0.0.1'), /^(?:default|geoip)/)
})
