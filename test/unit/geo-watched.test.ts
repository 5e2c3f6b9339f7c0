// GeoIP files while a daemon runs: a new one answers as soon as it is whole, a broken one changes nothing.
import { utimesSync } from 'node:fs'
import { copyFile, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { watchConfiguredPlaces } from '../../src/geo/configured-places.ts'
import type { LoadedPlaces } from '../../src/geo/places.ts'
import { parseIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { writeMmdb } from '../kit/mmdb-file.ts'
import { recordingLog } from '../kit/recording-log.ts'
import type { TestScope } from '../kit/scope.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

const ADDRESS = ip('1.2.3.4')

function ip(text: string): IpAddress {
  const address = parseIp(text)
  if (address === undefined) throw new Error(text)
  return address
}

async function rig(t: TestScope, everyMs = 3_600_000) {
  const directory = await tempDirectory(t)
  const city = path.join(directory, 'city.mmdb')
  const asn = path.join(directory, 'asn.mmdb')
  const put = async (country: string) => {
    await writeMmdb(`${city}.new`, { '1.0.0.0/8': { country_code: country } })
    await rename(`${city}.new`, city)
  }
  await put('DE')
  await writeMmdb(asn, { '1.0.0.0/8': { asn: 4134 } })
  const { log, lines } = recordingLog()
  const results: string[] = []
  const swapped: LoadedPlaces[] = []
  const places = await watchConfiguredPlaces({ city, asn }, 'edgeward.yaml', 'scheduler.geoip', {
    log,
    everyMs,
    onReload: (result) => results.push(result),
  })
  places.onReplace = (next) => swapped.push(next)
  t.teardown(() => places.close())
  const country = () => places.current.find(ADDRESS)?.country
  return { city, asn, put, lines, results, swapped, places, country }
}

t.test('a new file takes the place of the old one, and only it is read', async (t) => {
  const { city, asn, put, results, swapped, places, country } = await rig(t)
  const first = places.current
  await places.check()
  t.equal(places.current, first, 'nothing has changed')
  await put('FR')
  t.equal(country(), 'DE', 'until it is looked at')
  await places.check()
  t.equal(country(), 'FR')
  t.equal(first.find(ADDRESS)?.country, 'DE', 'who holds the old one goes on with it')
  t.equal(places.current.asns.get(asn), first.asns.get(asn), 'the other file was not read again')
  t.not(places.current.places.get(city), first.places.get(city))
  t.strictSame(results, ['replaced'])
  t.strictSame(swapped, [places.current])
  t.equal(places.current.findAsn(ADDRESS), 4134)
})

t.test('a broken, cut or vanished file changes nothing and is told of once', async (t) => {
  const { city, put, lines, results, places, country } = await rig(t)
  const breaks: [string, () => Promise<unknown>, RegExp][] = [
    ['text', () => writeFile(city, 'not a database'), /city\.mmdb is not a MaxMind DB file/],
    [
      'cut',
      async () => writeFile(city, (await readFile(city)).subarray(0, 10)),
      /city\.mmdb is not a MaxMind DB file/,
    ],
    ['gone', () => rm(city), /city\.mmdb does not exist/],
    [
      'of another kind',
      () => writeMmdb(city, { '1.0.0.0/8': { colour: 'red' } }),
      /city\.mmdb is of another kind/,
    ],
  ]
  for (const [name, damage, message] of breaks) {
    await damage()
    const before = lines.length
    await places.check()
    await places.check()
    t.equal(country(), 'DE', name)
    t.strictSame(lines.length - before, 1, name)
    t.match(lines.at(-1), { level: 50, msg: message }, name)
    t.match(lines.at(-1), { msg: /GeoIP files not replaced, the old ones answer on/ })
    t.equal(results.at(-1), 'failed')
  }
  await put('FR')
  await places.check()
  t.equal(country(), 'FR', 'a good one is taken')
  t.equal(results.at(-1), 'replaced')
})

t.test('the same file at another time, and one that comes back', async (t) => {
  const { city, results, places } = await rig(t)
  await utimes(city, 1000, 1000)
  await places.check()
  t.strictSame(results, ['replaced'])
  const first = places.current
  await rename(city, `${city}.away`)
  await places.check()
  t.strictSame(results, ['replaced', 'failed'])
  await rename(`${city}.away`, city)
  await places.check()
  t.equal(places.current.places.get(city), first.places.get(city), 'it is the one in use')
  await copyFile(city, `${city}.copy`)
  await rename(`${city}.copy`, city)
  await places.check()
  t.not(places.current.places.get(city), first.places.get(city), 'another inode')
})

t.test('a file that changes while it is read is not half taken', async (t) => {
  const { city, put, lines, places, country } = await rig(t)
  await put('FR')
  let at = 0
  let isWriting = true
  const write = () => {
    utimesSync(city, (at += 1), 1000 + at)
    if (isWriting) setImmediate(write)
  }
  write()
  await places.check()
  isWriting = false
  t.equal(country(), 'DE')
  t.match(lines.at(-1), { msg: /city\.mmdb changed while it was read/ })
  await places.check()
  t.equal(country(), 'FR', 'when it is done')
})

t.test('an operator’s reload tries what failed again, and does nothing where nothing changed', async (t) => {
  const { city, results, places } = await rig(t)
  await places.reload()
  t.strictSame(results, [])
  await writeFile(city, 'not a database')
  await places.check()
  await places.reload()
  t.strictSame(results, ['failed', 'failed'])
})

t.test('it looks by itself, and no more once closed', async (t) => {
  const { put, places, country } = await rig(t, 10)
  await put('FR')
  await until('the new file answers', () => country() === 'FR')
  places.close()
  await put('IT')
  await places.reload()
  t.equal(country(), 'FR')
})
