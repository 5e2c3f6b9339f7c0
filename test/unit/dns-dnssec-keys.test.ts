// DNSSEC keys from files: what dnssec-keygen writes is taken, key tags and DS are those of the RFCs, and each kind of
// damage is refused by file, line and reason.
import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { keyTag } from '../../scheduler/dns/dnssec/dnskey.ts'
import { parsePrivateKey } from '../../scheduler/dns/dnssec/key-file.ts'
import { KeyFileError, loadZoneKeys } from '../../scheduler/dns/dnssec/keys.ts'
import { ZoneSigner } from '../../scheduler/dns/dnssec/zone-signer.ts'
import { makeDnssecKey } from '../kit/dnssec-key.ts'
import { wireName } from '../kit/dnssec-verify.ts'
import { findProgram } from '../kit/programs.ts'
import { tempDirectory } from '../kit/temp.ts'

const run = promisify(execFile)
const directory = await tempDirectory(t)
const ZONE = wireName('example.net')

/** RFC 6605 §6.1. */
const PRIVATE = `Private-key-format: v1.2
Algorithm: 13 (ECDSAP256SHA256)
PrivateKey: GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=
`
const PUBLIC = `example.net. 3600 IN DNSKEY 257 3 13 (
        GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edb
        krSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA== )
`

let written = 0

async function writeKey(privateText: string | undefined, publicText: string | undefined): Promise<string> {
  const base = path.join(directory, `Kexample.net.+013+${String(++written).padStart(5, '0')}`)
  if (privateText !== undefined) await writeFile(`${base}.private`, privateText, { mode: 0o600 })
  if (publicText !== undefined) await writeFile(`${base}.key`, publicText)
  return `${base}.private`
}

/** The problems of a refused load, each as `reason kind-of-file:line`. */
async function problemsOf(files: readonly string[]): Promise<string[]> {
  const error = await loadZoneKeys(ZONE, files).catch((cause: unknown) => cause)
  if (!(error instanceof KeyFileError)) return [`not refused: ${String(error)}`]
  return error.problems.map(
    ({ reason, file, line }) => `${reason} ${path.extname(file)}${line === null ? '' : `:${line}`}`,
  )
}

t.test('the key of RFC 6605 §6.1 has the tag and the DS that are printed there', async (t) => {
  const keys = await loadZoneKeys(ZONE, [await writeKey(PRIVATE, PUBLIC)])
  t.match(keys, { keySigning: [{ tag: 55648, flags: 257 }], zoneSigning: [{ tag: 55648 }], warnings: [] })
  const { ds, dnskey } = new ZoneSigner(keys)
  t.strictSame(ds, [
    'example.net. IN DS 55648 13 2 B4C8C1FE2E7477127B27115656AD6256F424625BF5C1E2770CE6D6E37DF61D17',
  ])
  t.equal(dnskey.length, 1, 'one record for a key that signs both')
})

t.test('the key tag of RFC 4034 §5.4, of a key of another length', async (t) => {
  const key =
    'AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7Or' +
    'zKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw=='
  t.equal(keyTag(Buffer.concat([Buffer.from([1, 0, 3, 5]), Buffer.from(key, 'base64')])), 60485)
})

t.test('a secret number without its leading zeros is the same number', async (t) => {
  const point = 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q=='
  const text = PRIVATE.replace(/PrivateKey: .*/, 'PrivateKey: AQ==')
  const keys = await loadZoneKeys(ZONE, [await writeKey(text, `example.net. DNSKEY 257 3 13 ${point}\n`)])
  t.equal(keys.keySigning.length, 1)
  t.strictSame(parsePrivateKey(text), Buffer.from([...Array.from({ length: 31 }, () => 0), 1]))
})

t.test('files as dnssec-keygen writes them, with its names', async (t) => {
  const program = findProgram(['dnssec-keygen'])
  if (program === undefined) {
    t.fail('dnssec-keygen is not installed (bind9-utils)')
    return
  }
  const generate = async (...options: string[]) => {
    const { stdout } = await run(program, ['-q', '-a', '13', '-K', directory, ...options, 'example.net'])
    return path.join(directory, `${stdout.trim()}.private`)
  }
  const ksk = await generate('-f', 'KSK')
  const zsk = await generate('-L', '7200')
  const keys = await loadZoneKeys(ZONE, [zsk, ksk])
  t.match(keys.keySigning, [{ flags: 257, tag: tagIn(ksk) }])
  t.match(keys.zoneSigning, [{ flags: 256, tag: tagIn(zsk) }])
  t.strictSame(keys.warnings, [])
  const signer = new ZoneSigner(keys)
  t.equal(signer.dnskey.length, 2)

  const { stdout } = await run('dnssec-dsfromkey', ['-2', ksk.replace(/private$/, 'key')])
  t.strictSame(signer.ds, [stdout.trim()], 'and the same DS as dnssec-dsfromkey')
})

function tagIn(file: string): number {
  return Number(/\+(\d+)\.private$/.exec(file)?.[1])
}

t.test('each kind of damage is named by reason, file and line', async (t) => {
  const cases: [string, string | undefined, string | undefined, string][] = [
    ['no private file', undefined, PUBLIC, 'unreadable .private'],
    ['no public file', PRIVATE, undefined, 'unreadable .key'],
    ['an empty private file', '', PUBLIC, 'malformed .private'],
    ['an empty public file', PRIVATE, '', 'malformed .key'],
    ['a file that is much too large', PRIVATE + '\n'.repeat(20_000), PUBLIC, 'malformed .private'],
    ['another format', PRIVATE.replace('v1.2', 'v2.0'), PUBLIC, 'unsupported .private:1'],
    ['no algorithm', PRIVATE.replace(/Algorithm.*\n/, ''), PUBLIC, 'malformed .private'],
    [
      'an RSA key',
      PRIVATE.replace('13 (ECDSAP256SHA256)', '8 (RSASHA256)'),
      PUBLIC,
      'unsupported .private:2',
    ],
    ['a key in hardware', PRIVATE.replace(/PrivateKey.*/, 'Engine: cGtjczEx'), PUBLIC, 'malformed .private'],
    ['a line without a name', `${PRIVATE}GU6SnQ\n`, PUBLIC, 'malformed .private:4'],
    ['two secrets', `${PRIVATE}PrivateKey: AQ==\n`, PUBLIC, 'malformed .private:4'],
    ['a secret that is cut', PRIVATE.replace('6mQ=', ''), PUBLIC, 'key-mismatch .private'],
    ['a secret without its end', PRIVATE.replace('6mQ=', '6mQ'), PUBLIC, 'malformed .private:3'],
    ['a secret that is too long', PRIVATE.replace('6mQ=', '6mQ6mQ6m'), PUBLIC, 'malformed .private:3'],
    ['the secret 0', PRIVATE.replace(/GU6.*/, 'AA=='), PUBLIC, 'key-mismatch .private'],
    ['the secret of another key', PRIVATE.replace('GU6S', 'GU7S'), PUBLIC, 'key-mismatch .private'],
    ['another zone', PRIVATE, PUBLIC.replace('example', 'sample'), 'other-zone .key'],
    ['a zone above', PRIVATE, PUBLIC.replace('example.', ''), 'other-zone .key'],
    ['no owner', PRIVATE, PUBLIC.replace('example.net. 3600 IN ', ''), 'malformed .key'],
    ['no name as owner', PRIVATE, PUBLIC.replace('example', 'exa..mple'), 'malformed .key:1'],
    ['another class', PRIVATE, PUBLIC.replace('IN', 'CH'), 'malformed .key:1'],
    ['a directive first', PRIVATE, `$TTL 3600\n${PUBLIC}`, 'malformed .key:1'],
    ['another record', PRIVATE, PUBLIC.replace('DNSKEY', 'KEY'), 'malformed .key'],
    ['an early end', PRIVATE, 'example.net. IN DNSKEY 257 3\n', 'malformed .key:1'],
    ['another protocol', PRIVATE, PUBLIC.replace(' 3 13', ' 2 13'), 'malformed .key:1'],
    ['another algorithm', PRIVATE, PUBLIC.replace(' 3 13', ' 3 14'), 'unsupported .key:1'],
    ['a revoked key', PRIVATE, PUBLIC.replace('257', '385'), 'unsupported .key:1'],
    ['a public key that is cut', PRIVATE, PUBLIC.replace('AA== ', ''), 'malformed .key:2'],
    ['two public keys', PRIVATE, PUBLIC + PUBLIC, 'malformed .key:2'],
    ['a ZSK alone', PRIVATE, PUBLIC.replace('257', '256'), 'no-key-signing-key .private'],
  ]
  for (const [name, privateText, publicText, expected] of cases) {
    t.strictSame(await problemsOf([await writeKey(privateText, publicText)]), [expected], name)
  }
  t.strictSame(await problemsOf([]), ['no-key-signing-key '], 'no key at all')
})

t.test('all that is wrong is said at once, and never the secret', async (t) => {
  const good = await writeKey(PRIVATE, PUBLIC)
  const wrongFile = good.replace(/private$/, 'key')
  const spilled = await writeKey(PRIVATE.replace('PrivateKey: ', ''), PUBLIC)
  const folder = path.join(directory, 'folder.private')
  await mkdir(folder)
  await copyFile(wrongFile, path.join(directory, 'folder.key'))
  const again = await writeKey(await readFile(good, 'utf8'), PUBLIC)
  const files = [wrongFile, good, spilled, folder, again]
  t.strictSame((await problemsOf(files)).toSorted(), [
    'malformed .private:3',
    'same-tag .private',
    'unreadable .private',
    'wrong-file .key',
  ])
  const error: unknown = await loadZoneKeys(ZONE, files).catch((cause: unknown) => cause)
  t.match(String(error), `${spilled}:3 has no "Name: value" there`)
  t.notMatch(String(error), 'GU6SnQ')
})

t.test('a secret that everybody may read is warned of', async (t) => {
  const files = await makeDnssecKey(directory, 'example.net')
  t.strictSame((await loadZoneKeys(ZONE, [files.private])).warnings, [])
  await chmod(files.private, 0o640)
  t.strictSame((await loadZoneKeys(ZONE, [files.private])).warnings, [], 'a group is a choice')
  await chmod(files.private, 0o644)
  t.strictSame((await loadZoneKeys(ZONE, [files.private])).warnings, [
    `${files.private} can be read by every user of this machine`,
  ])
})
