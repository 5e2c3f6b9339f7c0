// GeoIP files with bytes that are wrong: refused when they are loaded, or asked without harm. A file is the operator's
// own, yet a copy may be cut or scrambled, and a lookup that throws would be a client's 5xx.
import { readFile, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { PlaceFileError, loadPlaces } from '../../src/geo/places.ts'
import { parseIp } from '../../src/net/ip.ts'
import { writeMmdb } from '../kit/mmdb-file.ts'
import { tempDirectory } from '../kit/temp.ts'

const ASKED = ['1.1.1.1', '60.1.2.3', '60.200.0.1', '192.0.2.1', '255.255.255.255', '240e::1', '2001:db8::1']
  .map(parseIp)
  .filter((address) => address !== undefined)

t.test('a damaged file is refused, or answers without throwing', async (t) => {
  const directory = await tempDirectory(t)
  const whole = path.join(directory, 'whole.mmdb')
  const damaged = path.join(directory, 'damaged.mmdb')
  await writeMmdb(whole, {
    '1.0.0.0/8': { country_code: 'AU', city: 'Sydney', latitude: -33.9, longitude: 151.2 },
    '60.0.0.0/9': { country: { iso_code: 'CN' }, location: { latitude: 23.1, longitude: 113.3 } },
    '240e::/20': { country_code: 'CN', asn: 4134 },
  })
  const bytes = await readFile(whole)
  let refused = 0
  let answered = 0
  const flips = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(flips, fc.option(fc.nat(bytes.length), { freq: 5 }), async (changes, length) => {
      const copy = Buffer.from(bytes)
      for (const [at, byte] of changes) copy[at] = byte
      await writeFile(damaged, copy)
      if (length !== null) await truncate(damaged, length)
      try {
        const places = await loadPlaces({ city: [damaged], country: [], asn: [] })
        for (const address of ASKED) {
          places.find(address)
          places.look(address)
        }
        answered += 1
      } catch (error) {
        if (!(error instanceof PlaceFileError)) throw error
        if (!error.message.startsWith(damaged)) throw error
        refused += 1
      }
    }),
    { numRuns: 300 },
  )
  t.ok(refused > 0 && answered > 0, `${refused} refused, ${answered} answered`)
})
