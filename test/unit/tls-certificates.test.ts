// Certificates of a listener: what is refused and in which words, the choice by name, and the watch over the files.
import { copyFile, mkdir, rm, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { CertificateError } from '../../src/tls/certificate-error.ts'
import { findContext, loadCertificates, stampOf } from '../../src/tls/certificate-set.ts'
import type { CertificateSet } from '../../src/tls/certificate-set.ts'
import { CertificateWatcher } from '../../src/tls/certificate-watcher.ts'
import type { CertificateFiles } from '../../src/tls/read-certificate.ts'
import { makeCertificate } from '../kit/certificates.ts'
import type { TestScope } from '../kit/scope.ts'
import { tempDirectory } from '../kit/temp.ts'

const DAY_MS = 86_400_000
const directory = await tempDirectory(t)
const site = await makeCertificate(directory, 'site', { names: ['a.example', '*.b.example', 'IP:192.0.2.1'] })
const siteRsa = await makeCertificate(directory, 'site-rsa', {
  names: ['a.example', '*.b.example', 'IP:192.0.2.1'],
  kind: 'rsa',
})
const other = await makeCertificate(directory, 'other', { names: ['C.example', 'x.b.example'] })

function load(files: readonly CertificateFiles[], nowMs = systemClock.now()): Promise<CertificateSet> {
  return loadCertificates(files, { minimum: 'TLSv1.2', nowMs })
}

t.test('what is wrong is named by file, part and reason', async (t) => {
  const file = (name: string) => path.join(directory, name)
  await writeFile(file('empty.pem'), '')
  await writeFile(file('text.pem'), 'no certificate\n')
  await writeFile(file('damaged.pem'), '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n')
  await mkdir(file('folder'))
  const nameless = await makeCertificate(directory, 'nameless', { names: [] })
  const locked = await makeCertificate(directory, 'locked', { password: 'secret-word' })
  const now = systemClock.now()
  const cases: [CertificateFiles, string, number?][] = [
    [{ ...site, certificate: file('gone.pem') }, 'certificate unreadable'],
    [{ ...site, key: file('gone.key') }, 'key unreadable'],
    [{ ...site, certificate: file('folder') }, 'certificate unreadable'],
    [{ ...site, certificate: file('empty.pem') }, 'certificate not-pem'],
    [{ ...site, certificate: file('text.pem') }, 'certificate not-pem'],
    [{ ...site, certificate: file('damaged.pem') }, 'certificate not-pem'],
    [{ ...site, certificate: site.key }, 'certificate not-pem'],
    [{ ...site, key: site.certificate }, 'key not-pem'],
    [{ ...site, key: other.key }, 'key key-mismatch'],
    [{ ...site, key: siteRsa.key }, 'key key-mismatch'],
    [locked, 'key encrypted-key'],
    [nameless, 'certificate no-names'],
    [site, 'certificate expired', now + 31 * DAY_MS],
    [site, 'certificate not-yet-valid', now - DAY_MS],
  ]
  for (const [files, expected, nowMs] of cases) {
    const error = await load([other, files], nowMs).catch((cause: unknown) => cause)
    if (!(error instanceof CertificateError)) {
      t.fail(`${expected}: ${String(error)}`)
      continue
    }
    const found = error.problems.find(({ index }) => index === 1)
    t.equal(`${found?.part} ${found?.reason}`, expected)
    t.equal(found?.file, found === undefined ? '' : files[found.part])
    t.match(error.message, found?.file ?? 'a file')
    t.notMatch(error.message, /PRIVATE KEY|secret-word/)
  }
})

t.test('all that is wrong is said at once', async (t) => {
  const gone = { certificate: path.join(directory, 'x.pem'), key: path.join(directory, 'x.key') }
  const error = await load([gone, site, { ...other, key: site.key }]).catch((cause: unknown) => cause)
  t.ok(error instanceof CertificateError)
  t.strictSame(
    error instanceof CertificateError ? error.problems.map(({ index, part }) => `${index} ${part}`) : [],
    ['0 certificate', '0 key', '2 key'],
  )
})

t.test('the choice by name', async (t) => {
  const set = await load([site, siteRsa, other])
  const second = findContext(set, 'c.example')
  t.ok(second !== null)
  t.equal(findContext(set, 'a.example'), null)
  t.equal(findContext(set, 'www.b.example'), null)
  t.equal(findContext(set, 'C.EXAMPLE.'), second)
  t.equal(findContext(set, 'x.b.example'), second, 'an exact name goes before a wildcard')
  const turned = await load([other, site])
  t.equal(findContext(turned, 'x.b.example'), null)
  t.ok(findContext(turned, 'a.example') !== null)
  t.equal(findContext(turned, 'www.b.example'), findContext(turned, 'a.example'))
  for (const name of [
    'b.example',
    'a.www.b.example',
    'example',
    '',
    '.',
    '.b.example',
    '*.',
    'a.example.evil',
  ]) {
    t.equal(findContext(turned, name), null, name)
  }
  t.equal(set.certificates.length, 3)
  t.equal([set.fallback.cert].flat().length, 2, 'the first one, and its twin of another kind')
})

interface Watched {
  readonly files: CertificateFiles
  readonly watcher: CertificateWatcher
  readonly sets: CertificateSet[]
  readonly errors: unknown[]
}

async function watch(t: TestScope, everyMs = 3_600_000): Promise<Watched> {
  const place = await tempDirectory(t)
  const files = { certificate: path.join(place, 'cert.pem'), key: path.join(place, 'key.pem') }
  await put(files, site)
  const first = await load([files])
  const sets: CertificateSet[] = []
  const errors: unknown[] = []
  const watcher = new CertificateWatcher({
    stamp: first.stamp,
    look: () => stampOf([files]),
    load: () => load([files]),
    replace: (set) => sets.push(set),
    failed: (error) => errors.push(error),
    everyMs,
  })
  t.teardown(() => watcher.close())
  return { files, watcher, sets, errors }
}

async function put(files: CertificateFiles, from: CertificateFiles): Promise<void> {
  await copyFile(from.certificate, files.certificate)
  await copyFile(from.key, files.key)
}

t.test('new files are brought in once, unchanged ones not at all', async (t) => {
  const { files, watcher, sets, errors } = await watch(t)
  await watcher.check()
  t.equal(sets.length, 0)
  await put(files, other)
  await watcher.check()
  await watcher.check()
  t.strictSame(
    sets.map(({ certificates }) => certificates[0]?.names),
    [['c.example', 'x.b.example']],
  )
  t.equal(errors.length, 0)
  await watcher.reload()
  t.equal(sets.length, 2, 'an operator asked for it')
})

t.test(
  'files that do not fit change nothing, are told of once, and are tried again when they change',
  async (t) => {
    const { files, watcher, sets, errors } = await watch(t)
    await copyFile(other.certificate, files.certificate)
    await watcher.check()
    await watcher.check()
    t.equal(sets.length, 0)
    t.equal(errors.length, 1)
    t.match(String(errors[0]), /is not the key of the certificate/)
    await copyFile(other.key, files.key)
    await watcher.check()
    t.equal(sets.length, 1)
    await rm(files.key)
    await watcher.check()
    t.match(String(errors[1]), /key\.pem cannot be read \(ENOENT\)/)
    await copyFile(other.key, files.key)
    await watcher.check()
    t.equal(sets.length, 2)
  },
)

t.test('the same content at another time counts as new', async (t) => {
  const { files, watcher, sets } = await watch(t)
  await utimes(files.key, 1000, 1000)
  await watcher.check()
  t.equal(sets.length, 1)
})

t.test('the watch looks by itself, and no more once closed', async (t) => {
  const { files, watcher, sets } = await watch(t, 20)
  await put(files, other)
  while (sets.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  watcher.close()
  const before = sets.length
  const running = watcher.reload()
  await running
  t.equal(sets.length, before)
})
