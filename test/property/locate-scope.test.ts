// The scope of a location (RFC 7871 §7.2.1): over random coverage, GeoIP files and AS numbers no address in it is located
// otherwise, since a resolver gives all of them one answer; what is remembered of a network is what locating a client of it
// gives; and in plain cases the scope is as short as that allows.
import path from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { LocatedNetworks, NOT_KEPT } from '../../scheduler/locate/located-networks.ts'
import { LOCATION_SOURCES, locate } from '../../scheduler/locate/locate.ts'
import { scopeOfLocation } from '../../scheduler/locate/scope.ts'
import { buildSnapshot } from '../../scheduler/snapshot.ts'
import type { Snapshot } from '../../scheduler/snapshot.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { loadPlaces } from '../../src/geo/places.ts'
import type { Places } from '../../src/geo/places.ts'
import { contains, formatIp, formatNetwork, networkOf, parseIp } from '../../src/net/ip.ts'
import type { IpAddress, IpNetwork } from '../../src/net/ip.ts'
import { addressesSharing, borderAddresses } from '../kit/border-addresses.ts'
import { writeMmdb } from '../kit/mmdb-file.ts'
import type { MmdbValue } from '../kit/mmdb-file.ts'
import { edgeEntry, schedulerSettings } from '../kit/scheduler.ts'
import { tempDirectory } from '../kit/temp.ts'
import { uniformPlaces } from '../kit/made-places.ts'

// Few values, so that networks nest and touch; some lie among the unroutable ones.
const octet = fc.constantFrom(0, 1, 64, 128, 255)
const ipv4 = fc
  .tuple(fc.constantFrom(60, 61, 10, 100, 223), octet, octet, octet)
  .map(([a, b, c, d]): IpAddress => ({
    family: 4,
    a: 0,
    b: 0,
    c: 0,
    d: a * 2 ** 24 + b * 2 ** 16 + c * 256 + d,
  }))
const word = fc.constantFrom(0, 1, 0x8000_0000, 0xffff_ffff)
const ipv6 = fc
  .tuple(fc.constantFrom(0x2400_0000, 0x2400_0001, 0x2001_0db8, 0x2001_0db9), word, word, word)
  .map(([a, b, c, d]): IpAddress => ({ family: 6, a, b, c, d }))
const address = fc.oneof(ipv4, ipv6)
const network = fc
  .tuple(address, fc.integer({ min: 1, max: 128 }))
  .map(([ip, bits]) => networkOf(ip, ip.family === 4 ? ((bits - 1) % 32) + 1 : bits))

const country = fc.constantFrom('CN', 'DE', 'FR')
const asn = fc.integer({ min: 1, max: 4 })
const position = fc.constantFrom(
  { latitude: 39.9, longitude: 116.4 },
  { latitude: 23.1, longitude: 113.3 },
  { latitude: 50.1, longitude: 8.7 },
)
const countryRecord = fc.record({ country_code: country })
const cityRecord = fc
  .tuple(countryRecord, position)
  .map(([record, at]): MmdbValue => Object.assign({ city: 'C' }, record, at))
const placeRecord: fc.Arbitrary<MmdbValue> = fc.oneof(countryRecord, cityRecord)

const SITES = [
  { id: 'a', location: { lat: 39.9, lon: 116.4 } },
  { id: 'b', location: { lat: 23.1, lon: 113.3 } },
  { id: 'c', location: { lat: 50.1, lon: 8.7 } },
  { id: 'd' },
]
interface SiteCoverage {
  networks: IpNetwork[]
  asns: number[]
  countries: string[]
}

const coverage: fc.Arbitrary<SiteCoverage> = fc.record({
  networks: fc.array(network, { maxLength: 4 }),
  asns: fc.uniqueArray(asn, { maxLength: 2 }),
  countries: fc.uniqueArray(country, { maxLength: 2 }),
})
const coverages = fc.array(coverage, { minLength: SITES.length, maxLength: SITES.length })

function settingsOf({ networks, asns, countries }: SiteCoverage) {
  return { networks: networks.map(formatNetwork), asns, countries }
}

/** What a file says of each network. */
type Said = readonly (readonly [IpNetwork, MmdbValue])[]

function saidBy(record: fc.Arbitrary<MmdbValue>): fc.Arbitrary<Said> {
  return fc.array(fc.tuple(network, record), { maxLength: 12 })
}

const files = fc.record({
  city: saidBy(placeRecord),
  // Positions too: a file that is asked second may still decide.
  country: saidBy(placeRecord),
  asn: saidBy(fc.record({ asn })),
})

function snapshotOf(places: Places, said: readonly object[]): Snapshot {
  const sites = SITES.map((site, i) => ({ ...site, coverage: said[i] ?? {} }))
  const edges = SITES.map(({ id }) => edgeEntry(`${id}-1`, id))
  return buildSnapshot(buildTopology(schedulerSettings({ sites, edges })), places, new Map())
}

/** What DNS would answer by: equal for clients who may share an answer. */
function locationText(client: IpAddress, snapshot: Snapshot): string {
  const { source, sites, position: at } = locate(client, snapshot)
  return JSON.stringify([source, sites.map(({ id }) => id), at])
}

/** An address in the scope of `client` that is located otherwise, as a text; undefined where there is none. */
function strayIn(client: IpAddress, others: readonly IpAddress[], rest: bigint, snapshot: Snapshot) {
  const scope = scopeOfLocation(client, snapshot, locate(client, snapshot))
  const own = locationText(client, snapshot)
  const inside = others.filter((other) => contains(networkOf(client, scope), other))
  const stray = [...inside, ...addressesSharing(client, scope, rest)].find(
    (other) => locationText(other, snapshot) !== own,
  )
  return stray && `/${scope}: ${formatIp(client)} ${own}, ${formatIp(stray)} ${locationText(stray, snapshot)}`
}

/** What of a network is remembered otherwise than locating the client says, as a text. What is not is kept. */
function misremembered(client: IpAddress, networks: LocatedNetworks, snapshot: Snapshot): string | undefined {
  const location = locate(client, snapshot)
  const scope = scopeOfLocation(client, snapshot, location)
  const place = networks.find(client, snapshot)
  if (place === NOT_KEPT) {
    networks.keep(client, location, scope, snapshot)
    return undefined
  }
  const kept = [networks.source(place), networks.site(place, snapshot).id, networks.scopePrefix(place)].join()
  const own = [location.source, location.sites.map(({ id }) => id), scope].join()
  return kept === own ? undefined : `${formatIp(client)}: ${kept} for ${own}`
}

t.test('every address in the scope is located alike, and remembered so', async (t) => {
  const directory = await tempDirectory(t)
  const write = async (list: string, said: Said) => {
    const file = path.join(directory, `${list}.mmdb`)
    await writeMmdb(file, Object.fromEntries(said.map(([of, record]) => [formatNetwork(of), record])))
    return [file]
  }
  const sources = new Set<string>()
  const networks = new LocatedNetworks()
  let remembered = 0
  const draw = fc.record({
    said: files,
    worlds: fc.array(coverages, { minLength: 6, maxLength: 6 }),
    anywhere: fc.array(address, { minLength: 8, maxLength: 8 }),
    rest: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
  })
  await fc.assert(
    fc.asyncProperty(draw, async ({ said, worlds, anywhere, rest }) => {
      const places = await loadPlaces({
        city: await write('city', said.city),
        country: await write('country', said.country),
        asn: await write('asn', said.asn),
      })
      const inFiles = Object.values(said).flatMap((list) => list.map(([of]) => of))
      for (const world of worlds) {
        const snapshot = snapshotOf(places, world.map(settingsOf))
        const borders = [...inFiles, ...world.flatMap(({ networks }) => networks)].flatMap(borderAddresses)
        for (const client of [...anywhere, ...borders]) {
          sources.add(locate(client, snapshot).source)
          const stray = strayIn(client, borders, rest, snapshot)
          if (stray !== undefined) throw new Error(stray)
          if (networks.find(client, snapshot) !== NOT_KEPT) remembered += 1
          const wrong = misremembered(client, networks, snapshot)
          if (wrong !== undefined) throw new Error(wrong)
        }
      }
    }),
    { numRuns: 40 },
  )
  t.strictSame(sources, new Set(LOCATION_SOURCES), 'all ways of locating were met')
  t.ok(remembered > 1000, `${remembered} of networks that were met before`)
})

/** Says `source /scope` of an address. */
function scopes(places: Places, coverage: Record<string, object>): (text: string) => string {
  const snapshot = snapshotOf(
    places,
    SITES.map(({ id }) => coverage[id] ?? {}),
  )
  return (text) => {
    const client = parseIp(text)
    if (client === undefined) throw new Error(text)
    const location = locate(client, snapshot)
    return `${location.source} /${scopeOfLocation(client, snapshot, location)}`
  }
}

t.test('no longer than need be', async (t) => {
  const file = path.join(await tempDirectory(t), 'city.mmdb')
  await writeMmdb(file, {
    '60.0.0.0/8': { country_code: 'CN' },
    '60.64.0.0/10': { country_code: 'CN', city: 'Guangzhou', latitude: 23.1, longitude: 113.3 },
    '240e::/20': { country_code: 'CN' },
  })
  const asns = path.join(path.dirname(file), 'asn.mmdb')
  await writeMmdb(asns, { '60.0.0.0/9': { asn: 1 }, '60.128.0.0/11': { asn: 2 } })
  const noFiles = uniformPlaces()

  const alone = scopes(noFiles, { a: { networks: ['202.96.128.0/20', '240e:100::/24'] } })
  t.equal(alone('202.96.130.1'), 'coverage /20')
  t.equal(alone('202.97.0.1'), 'default /16', 'as near as it lies to the network')
  t.equal(alone('60.1.1.1'), 'default /3', 'as near as it lies to any network that is unroutable')
  t.equal(alone('10.1.1.1'), 'default /8', 'unroutable')
  t.equal(alone('240e:1ff::1'), 'coverage /24')
  t.equal(alone('fd00::1'), 'default /7')

  const nested = scopes(noFiles, { a: { networks: ['60.0.0.0/8'] }, b: { networks: ['60.1.0.0/16'] } })
  t.equal(nested('60.1.2.3'), 'coverage /16')
  t.equal(nested('60.0.2.3'), 'coverage /16', 'more than /8: the inner network is near')
  t.equal(nested('60.200.2.3'), 'coverage /9')

  const shared = scopes(noFiles, {
    a: { networks: ['60.0.0.0/8', '240e::/20'] },
    b: { networks: ['60.0.0.0/8', '240e::/20'] },
  })
  t.equal(shared('60.1.2.3'), 'coverage /24', 'spread over both, each /24 to one of them')
  t.equal(shared('240e::1'), 'coverage /48')

  const places = await loadPlaces({ city: [file], country: [file], asn: [asns] })
  const byPlace = scopes(places, { a: { countries: ['CN'] } })
  t.equal(byPlace('60.128.0.1'), 'geoip-country /9')
  t.equal(byPlace('60.1.2.3'), 'geoip-country /10')
  t.equal(byPlace('240e::1'), 'geoip-country /20')
  t.equal(scopes(places, {})('60.65.2.3'), 'geoip-position /10')

  const byNumber = scopes(places, { a: { asns: [1] }, b: { asns: [2] }, c: { asns: [2] } })
  t.equal(byNumber('60.65.2.3'), 'asn /9', 'one site takes it: nobody asked for its place')
  t.equal(byNumber('60.129.2.3'), 'asn /24', 'two take it and no position is known')
})
