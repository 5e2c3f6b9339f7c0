// GeoIP: records of both shapes, the default database, split files, broken files, unroutable addresses.
import { truncate, writeFile } from 'node:fs/promises'
import { copyFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import type { Mmdb } from '../../src/geo/mmdb.ts'
import { placeOf } from '../../src/geo/place.ts'
import type { Place } from '../../src/geo/place.ts'
import { PlaceFileError, loadPlaces, placesOf } from '../../src/geo/places.ts'
import { isUnroutable, scopeOfUnroutable } from '../../src/geo/unroutable.ts'
import { parseIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { addressesSharing } from '../kit/border-addresses.ts'
import { tempDirectory } from '../kit/temp.ts'

const PACKAGE = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country'

function packaged(family: '' | '-ipv4' | '-ipv6'): string {
  return fileURLToPath(import.meta.resolve(`${PACKAGE}${family}.mmdb`))
}

function ip(text: string): IpAddress {
  const address = parseIp(text)
  if (address === undefined) throw new Error(text)
  return address
}

t.test('the default database knows countries, over IPv4 and IPv6', async (t) => {
  const places = await loadPlaces({ city: [], country: [], asn: [] })
  t.same(places.find(ip('46.38.225.230')), { country: 'DE', position: undefined })
  t.same(places.find(ip('202.96.128.86')), { country: 'CN', position: undefined })
  t.equal(places.find(ip('2a00:1450:4001::1'))?.country, 'IE')
  t.equal(places.find(ip('240e::1'))?.country, 'CN')
  t.equal(places.find(ip('::ffff:202.96.128.86'))?.country, 'CN')
  t.equal(places.find(ip('127.0.0.1')), undefined)
})

t.test('split files answer as the joined one, in either order', async (t) => {
  for (const families of [['-ipv4', '-ipv6'] as const, ['-ipv6', '-ipv4'] as const]) {
    const places = await loadPlaces({ city: [], country: families.map(packaged), asn: [] })
    t.equal(places.find(ip('46.38.225.230'))?.country, 'DE')
    t.equal(places.find(ip('240e::1'))?.country, 'CN')
  }
  const ipv4Only = await loadPlaces({ city: [], country: [packaged('-ipv4')], asn: [] })
  t.equal(ipv4Only.find(ip('240e::1')), undefined, 'a file of IPv4 networks says nothing of IPv6')
})

t.test('records', async (t) => {
  const at = { lat: 23.13, lon: 113.26 }
  const flat = { latitude: 23.13, longitude: 113.26, country_code: 'CN' }
  const nested = { location: { latitude: 23.13, longitude: 113.26 }, country: { iso_code: 'CN' } }
  t.same(placeOf({ country_code: 'DE' }), { country: 'DE', position: undefined })
  t.same(placeOf({ ...flat, city: 'Guangzhou' }), { country: 'CN', position: at })
  t.same(
    placeOf({ ...nested, city: { names: { en: 'Guangzhou' } } }),
    { country: 'CN', position: at },
    'nested',
  )
  t.same(placeOf({ latitude: '23.13', longitude: '113.26' }), { country: undefined, position: at })
  t.same(placeOf({ registered_country: { iso_code: 'US' } }), { country: 'US', position: undefined })
  t.same(placeOf(nested), { country: 'CN', position: undefined }, 'a country’s centre is no position')
  t.same(placeOf({ ...flat, city: '' }), { country: 'CN', position: undefined }, 'likewise flat')
  for (const useless of [
    null,
    undefined,
    'CN',
    7,
    {},
    { country_code: 'china' },
    { latitude: 999, longitude: 0 },
  ]) {
    t.equal(placeOf(useless), undefined, JSON.stringify(useless))
  }
})

t.test('a file that knows the position goes before one that knows the country', async (t) => {
  const country = { file: 'country', find: () => placeOf({ country_code: 'CN' }), prefixFound: () => 9 }
  const city = {
    file: 'city',
    find: () => placeOf({ country_code: 'CN', city: 'X', latitude: 1, longitude: 2 }),
    prefixFound: () => 20,
  }
  const broken = {
    file: 'broken',
    find: () => {
      throw new Error('damaged record')
    },
    prefixFound: () => 12,
  }
  const address = ip('1.1.1.1')
  t.same(placesOf([broken, country, city]).find(address)?.position, { lat: 1, lon: 2 })
  t.same(placesOf([broken, country]).find(address), { country: 'CN', position: undefined })
  t.equal(placesOf([broken]).find(address), undefined)
  const scopeOver = (...databases: Mmdb<Place>[]) => placesOf(databases).look(address).scope
  t.equal(scopeOver(country), 9)
  t.equal(scopeOver(country, city), 20, 'the country alone did not settle it')
  t.equal(scopeOver(broken, country), 12, 'asked in vain')
  t.equal(scopeOver({ ...city, prefixFound: () => 4 }, broken, country), 4, 'the others were not asked')
  t.equal(scopeOver(), 0)
})

t.test('files that cannot be used are named', async (t) => {
  const directory = await tempDirectory(t)
  const file = (name: string) => path.join(directory, name)
  await writeFile(file('text.mmdb'), 'this is not a database')
  await writeFile(file('empty.mmdb'), '')
  await copyFile(packaged('-ipv4'), file('cut.mmdb'))
  await truncate(file('cut.mmdb'), 1_000_000)
  const cases: [string, RegExp][] = [
    ['missing.mmdb', /missing\.mmdb does not exist/],
    ['text.mmdb', /text\.mmdb is not a MaxMind DB file/],
    ['empty.mmdb', /empty\.mmdb is not a MaxMind DB file/],
    ['cut.mmdb', /cut\.mmdb is not a MaxMind DB file/],
    ['.', /cannot be read/],
  ]
  for (const [name, message] of cases) {
    const loading = loadPlaces({ city: [packaged('-ipv4'), file(name)], country: [], asn: [] })
    const error = await loading.catch((failed: unknown) => failed)
    t.ok(error instanceof PlaceFileError, name)
    if (error instanceof PlaceFileError) {
      t.match(error.message, message)
      t.same([error.list, error.index], ['city', 1])
    }
  }
})

t.test('private, reserved and documentation addresses are unroutable', async (t) => {
  const unroutable = '10.1.2.3 127.0.0.1 172.31.0.1 192.168.1.1 100.64.1.1 169.254.1.1 203.0.113.1 224.0.0.1'
  const unroutable6 = ':: ::1 fe80::1 fd00::1 ff02::1 2001:db8::1 ::ffff:10.0.0.1'
  for (const text of [...unroutable.split(' '), ...unroutable6.split(' ')]) t.ok(isUnroutable(ip(text)), text)
  for (const text of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2001:4860::1', '2a00::1', '::ffff:8.8.8.8']) {
    t.notOk(isUnroutable(ip(text)), text)
  }
  // On both sides of each end, where the first octets tell and where they do not.
  const borders = [
    ['9.255.255.255', '10.0.0.0'],
    ['11.0.0.0', '10.255.255.255'],
    ['100.63.255.255', '100.64.0.0'],
    ['100.128.0.0', '100.127.255.255'],
    ['192.0.3.0', '192.0.2.255'],
    ['223.255.255.255', '224.0.0.0'],
    ['2001:db7:ffff::', '2001:db8::'],
    ['2001:db9::', '2001:db8:ffff::'],
    ['100:0:0:1::', '100::'],
    ['fbff::', 'fc00::'],
    ['fec0::', 'febf::'],
  ] as const
  for (const [outside, inside] of borders) {
    t.notOk(isUnroutable(ip(outside)), outside)
    t.ok(isUnroutable(ip(inside)), inside)
  }
})

t.test('what is said of an address holds for its whole scope', async () => {
  const word = fc.nat(0xffff_ffff)
  const firsts = fc.constantFrom(
    0x0a00,
    0x0b00,
    0x6440,
    0xc000,
    0xc0a8,
    0xe000,
    0x2001,
    0x0100,
    0xfc00,
    0xfe80,
  )
  const first = fc.tuple(firsts, fc.nat(0xffff)).map(([high, low]) => high * 65_536 + low)
  const anyAddress = fc.oneof(
    fc.oneof(word, first).map((d): IpAddress => ({ family: 4, a: 0, b: 0, c: 0, d })),
    fc.tuple(fc.oneof(word, first), word).map(([a, b]): IpAddress => ({ family: 6, a, b, c: 0, d: 0 })),
  )
  const rest = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n })
  fc.assert(
    fc.property(anyAddress, rest, (address, end) =>
      addressesSharing(address, scopeOfUnroutable(address), end).every(
        (other) => isUnroutable(other) === isUnroutable(address),
      ),
    ),
    { numRuns: 2000 },
  )
})
