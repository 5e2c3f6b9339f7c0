// `edgeward check` and `edgeward key` as an operator runs them.
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { hashKey, keyMatches, newKey } from '../../src/key.ts'
import { fileOf } from '../fixtures/config/load-text.ts'
import { runCommand } from '../kit/process.ts'

const EXAMPLES = path.join(import.meta.dirname, '../../deploy/examples')
const FIXTURES = path.join(import.meta.dirname, '../fixtures/config')

t.test('every example can be used', async (t) => {
  const files = (await readdir(EXAMPLES)).toSorted()
  t.strictSame(files, [
    'edge-protected.yaml',
    'edge-standalone.yaml',
    'edge.yaml',
    'edgeward-dns.yaml',
    'edgeward.yaml',
  ])
  const hash = hashKey('example')
  const env = {
    EDGE_KEY: newKey(),
    GZ1_KEY_HASH: hash,
    FRA1_KEY_HASH: hash,
    DNS_COOKIE_SECRET: '0'.repeat(32),
    REDIS_URL: 'redis://127.0.0.1',
    SHOWS_KEY: newKey(),
    HOOK_KEY: newKey(),
  }
  const result = await runCommand(t, ['check', ...files], { cwd: EXAMPLES, env })
  t.strictSame(result, {
    code: 0,
    signal: null,
    stderr: '',
    stdout: `edge-protected.yaml: ok (edge solo: standalone, 1 property)
edge-standalone.yaml: ok (edge solo: standalone, 1 property)
edge.yaml: ok (edge gz-1: joined to a cluster)
edgeward-dns.yaml: ok (scheduler: 2 sites, 2 edges, 1 property)
edgeward.yaml: ok (scheduler: 2 sites, 2 edges, 1 property)
`,
  })
})

t.test('problems of all files, one a line, and exit code 2', async (t) => {
  const bad = await fileOf(t, 'edge.yaml', 'id: a\nlisten: nowhere\nproperties: []\n')
  const good = path.join(FIXTURES, 'scheduler.yaml')
  const result = await runCommand(t, ['check', good, bad, 'none.yaml'], { cwd: FIXTURES })
  t.equal(result.code, 2)
  t.strictSame(result.stdout.split('\n'), [
    `${good}: ok (scheduler: 1 site, 1 edge, 1 property)`,
    `${bad}:1: origins: is missing`,
    `${bad}:2: listen: must be an address and port such as 0.0.0.0:8080 or [::]:8080`,
    `${bad}:3: properties: must have at least 1 entry`,
    'none.yaml: does not exist',
    '',
  ])
})

t.test('--json says the same to a program', async (t) => {
  const bad = await fileOf(t, 'edge.yaml', 'id: Wrong\nkey: 0123456789abcdef0\nscheduler: [http://s]\n')
  const result = await runCommand(t, ['check', '--json', 'scheduler.yaml', bad], { cwd: FIXTURES })
  t.equal(result.code, 2)
  t.match(JSON.parse(result.stdout), [
    { file: 'scheduler.yaml', ok: true, kind: 'scheduler', problems: [] },
    { file: bad, ok: false, problems: [{ path: 'id', line: 1, message: /^must be 1 to 64/ }] },
  ])
})

t.test('check without a file is a usage error', async (t) => {
  const result = await runCommand(t, ['check'])
  t.equal(result.code, 2)
  t.match(result.stderr, /missing required argument 'file'/)
})

t.test('key prints a key and its hash, new each time', async (t) => {
  const results = await Promise.all([runCommand(t, ['key', '--json']), runCommand(t, ['key', '--json'])])
  const [first, second] = results.map(({ stdout }) => JSON.parse(stdout))
  t.match(first.key, /^ewk_[\w-]{43}$/)
  t.match(first.hash, /^sha256:[0-9a-f]{64}$/)
  t.not(first.key, second.key)
  t.equal(keyMatches(first.key, first.hash), true)
  t.equal(keyMatches(first.key, second.hash), false)
  const { stdout, code } = await runCommand(t, ['key'])
  t.equal(code, 0)
  const [, key = '', hash = ''] = /key {3}(\S+)\nhash {2}(\S+)\n/.exec(stdout) ?? []
  t.equal(hashKey(key), hash)
})

t.test('a key matches its own hash only, whatever the hash looks like', async (t) => {
  const key = newKey()
  const hash = hashKey(key)
  t.equal(keyMatches(key, hash), true)
  for (const other of [
    '',
    'sha256:',
    hash.slice(0, -1),
    `${hash}0`,
    hash.toUpperCase(),
    hash.replace('sha256', 'sha512'),
  ]) {
    t.equal(keyMatches(key, other), false, other)
  }
  t.equal(keyMatches('', hash), false)
  t.equal(keyMatches(`${key} `, hash), false)
})

t.test('certificates are read as the start would read them', async (t) => {
  const tls = 'tls: { certificates: [{ certificate: none.pem, key: none.key }] }'
  const file = await fileOf(
    t,
    'edge.yaml',
    `id: a\nscheduler: [http://127.0.0.1:1]\nkey: ${newKey()}\n${tls}\n`,
  )
  const result = await runCommand(t, ['check', file], { cwd: FIXTURES })
  t.match(result, { code: 2, stdout: /tls\.certificates\[0\]\.certificate: .*none\.pem cannot be read/ })
})
