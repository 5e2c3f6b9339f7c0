// AS numbers: every shape of record in use, files of the operator's, and what is looked up for one client.
import path from 'node:path'
import t from 'tap'
import { asnOf } from '../../src/geo/asn.ts'
import { loadConfiguredPlaces } from '../../src/geo/configured-places.ts'
import { PlaceFileError, loadPlaces, placesOf } from '../../src/geo/places.ts'
import { whereaboutsOf } from '../../src/geo/whereabouts.ts'
import { parseIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { writeMmdb } from '../kit/mmdb-file.ts'
import { tempDirectory } from '../kit/temp.ts'

function ip(text: string): IpAddress {
  const address = parseIp(text)
  if (address === undefined) throw new Error(text)
  return address
}

t.test('records', async (t) => {
  const number = 'autonomous_system_number'
  const organisation = { autonomous_system_organization: 'CHINANET' }
  t.equal(asnOf({ [number]: 4134, ...organisation }), 4134, 'GeoLite2-ASN, and GeoIP2 ISP')
  t.equal(asnOf({ traits: { [number]: 4134 }, country: { iso_code: 'CN' } }), 4134, 'GeoIP2 Enterprise')
  t.equal(asnOf({ asn: 4134, name: 'CHINANET' }), 4134)
  t.equal(asnOf({ asn: 'AS4134', as_name: 'CHINANET' }), 4134)
  t.equal(asnOf({ asn: '4134' }), 4134)
  t.equal(asnOf({ asn: 4_294_967_295 }), 4_294_967_295)
  for (const useless of [
    null,
    undefined,
    'AS4134',
    {},
    organisation,
    { asn: 0 },
    { asn: '' },
    { asn: -1 },
    { asn: 1.5 },
    { asn: 'CHINANET' },
    { asn: 4_294_967_296 },
    { asn: '99999999999' },
    { traits: null },
  ]) {
    t.equal(asnOf(useless), undefined, JSON.stringify(useless))
  }
})

t.test('files of AS numbers beside the default countries', async (t) => {
  const directory = await tempDirectory(t)
  const first = path.join(directory, 'a.mmdb')
  const second = path.join(directory, 'b.mmdb')
  await writeMmdb(first, {
    '202.96.0.0/12': { autonomous_system_number: 4134, autonomous_system_organization: 'CHINANET' },
    '202.96.128.0/24': { autonomous_system_number: 64_500 },
    '240e::/20': { autonomous_system_number: 4134 },
  })
  await writeMmdb(second, { '202.96.0.0/12': { asn: 'AS1' }, '46.38.224.0/20': { asn: 'AS197540' } })
  const places = await loadPlaces({ city: [], country: [], asn: [first, second] })
  t.equal(places.findAsn(ip('202.97.1.1')), 4134, 'of two files the first that knows')
  t.equal(places.findAsn(ip('202.96.128.86')), 64_500, 'the inner network')
  t.equal(places.findAsn(ip('::ffff:202.97.1.1')), 4134)
  t.equal(places.findAsn(ip('240e::1')), 4134)
  t.equal(places.findAsn(ip('46.38.225.230')), 197_540, 'else the next file')
  t.equal(places.findAsn(ip('1.1.1.1')), undefined)
  t.equal(places.find(ip('202.96.128.86'))?.country, 'CN')
  t.equal(places.lookForAsn(ip('202.96.128.86')).scope, 24)
  t.equal(places.lookForAsn(ip('202.100.1.1')).scope, 14, 'the first file knows, half of half of its network')
  t.equal(places.lookForAsn(ip('46.38.225.230')).scope, 20, 'the next file')
  t.equal(places.lookForAsn(ip('240e::1')).scope, 20)
})

t.test('without such a file no AS number is known', async (t) => {
  const places = await loadPlaces({ city: [], country: [], asn: [] })
  t.equal(places.findAsn(ip('202.96.128.86')), undefined)
})

t.test('a file that cannot be used is named by its key', async (t) => {
  const directory = await tempDirectory(t)
  const good = path.join(directory, 'good.mmdb')
  await writeMmdb(good, { '192.0.2.0/24': { asn: 1 } })
  const missing = path.join(directory, 'none.mmdb')
  const failed = await loadPlaces({ city: [], country: [], asn: [good, missing] }).catch(
    (error: unknown) => error,
  )
  t.ok(failed instanceof PlaceFileError)
  t.match(failed, { list: 'asn', index: 1, message: /none\.mmdb does not exist/ })
  await t.rejects(loadConfiguredPlaces({ asn: [good, missing] }, 'edge.yaml', 'geoip'), {
    message: /geoip\.asn\[1\].*does not exist/,
  })
  await t.rejects(loadConfiguredPlaces({ asn: missing }, 'edge.yaml', 'geoip'), {
    message: /geoip\.asn: .*does not exist/,
  })
  const places = await loadConfiguredPlaces({ asn: good }, 'edge.yaml', 'geoip')
  t.equal(places.findAsn(ip('192.0.2.1')), 1)
})

t.test('one client is looked up once, and only when asked for', async (t) => {
  const asked: string[] = []
  const country = {
    file: 'country',
    find: () => {
      asked.push('place')
      return { country: 'CN', position: undefined }
    },
    prefixFound: () => 0,
  }
  const asn = {
    file: 'asn',
    find: () => {
      asked.push('asn')
      return undefined
    },
    prefixFound: () => 0,
  }
  const places = placesOf([country], [asn])
  const client = whereaboutsOf(places, ip('1.1.1.1'))
  t.strictSame(asked, [])
  t.equal(client.place()?.country, 'CN')
  t.equal(client.place()?.country, 'CN')
  t.equal(client.asn(), undefined)
  t.equal(client.asn(), undefined, 'that nothing is known is remembered too')
  t.strictSame(asked, ['place', 'asn'])
  const local = whereaboutsOf(places, ip('192.168.1.1'))
  t.equal(local.place(), undefined, 'a private address is nowhere')
  t.equal(local.asn(), undefined)
  t.equal(whereaboutsOf(places, undefined).place(), undefined)
  t.equal(whereaboutsOf(null, ip('1.1.1.1')).asn(), undefined)
  t.strictSame(asked, ['place', 'asn'])
})
