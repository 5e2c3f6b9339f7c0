// What is said of a configuration that is wrong names keys and never secrets, and secrets are read from plain files alone.
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { ConfigError } from '../../src/config/config-error.ts'
import { loadAnyConfig } from '../../src/config/load.ts'
import { edgeFile, found, secret } from '../kit/leaks.ts'
import { tempDirectory } from '../kit/temp.ts'

const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
const pem = ec.export({ type: 'pkcs8', format: 'pem' })
const pemLine = pem.split('\n')[1] ?? ''

function fileWith(tokens: object): string {
  return edgeFile([{ id: 'all', origins: [{ id: 'studio' }], access: { tokens } }])
}

/** As `edgeward check` prints it. */
async function check(file: string): Promise<{ code: number; text: string }> {
  try {
    await loadAnyConfig(file, {})
    return { code: 0, text: '' }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { code: 2, text: `${error.message}\n${JSON.stringify(error.problems)}` }
  }
}

t.test('messages about a configuration name keys, never secrets', async (t) => {
  const directory = await tempDirectory(t)
  const file = path.join(directory, 'edge.yaml')
  const literal = secret()
  const variants: Record<string, (text: string) => string> = {
    'not hex': (text) => text.replace(/scheme: type-a/, 'scheme: hdnts'),
    'unknown key': (text) => text.replace('keys:', 'keyz:'),
    'unknown scheme': (text) => text.replace('type-a', literal),
    'no list': (text) => text.replace(/keys:\n\s+- (\S+)\n\s+- \S+/, `keys: ${literal}`),
    'broken quotes': (text) => text.replace(/- (S3cr3t\S+)/, '- "$1'),
    'broken indent': (text) => text.replace(/- (S3cr3t\S+)/, '\t- $1: ['),
    'a flow that does not end': (text) => text.replace(/keys:\n\s+- (\S+)/, 'keys: [$1'),
    'a second key of one name': (text) => text.replace(/(\n +)keys:/, `$1keys: ["${literal}"]$1keys:`),
    'a map for a text': (text) => text.replace(/- (S3cr3t\S+)/, '- { $1: 1 }'),
    'an anchor': (text) => text.replace(/- (S3cr3t\S+)/, '- *$1'),
    'a tag': (text) => text.replace(/- (S3cr3t\S+)/, '- !$1 x'),
    'too short': (text) => text.replace(/- (S3cr3t)\S+/, '- $1'),
  }
  const good = fileWith({ scheme: 'type-a', keys: [literal, secret()] })
  await writeFile(file, good)
  t.equal((await check(file)).code, 0, 'it is good to begin with')
  for (const [name, change] of Object.entries(variants)) {
    await writeFile(file, change(good))
    const { code, text } = await check(file)
    t.equal(code, 2, name)
    t.notMatch(text, /S3cr3t[0-9a-f]/, name)
  }
  for (const tokens of [
    { scheme: 'uri-signing', keys: [{ algorithm: 'ES256', secret: pem.replace('BEGIN', 'BEGUN') }] },
    { scheme: 'uri-signing', keys: [{ algorithm: 'RS256', secret: pem }] },
    {
      scheme: 'uri-signing',
      keys: [{ algorithm: 'ES256', secret: JSON.stringify({ kty: 'EC', d: pemLine }) }],
    },
    { scheme: 'cat', keys: [{ algorithm: 'HS256', secret: `base64url:${literal}!` }] },
    { scheme: 'secure-link', keys: [literal], expression: `$uri $${literal}` },
    { scheme: 'secure-link', keys: [literal], expression: `$uri ${literal}` },
  ]) {
    await writeFile(file, fileWith(tokens))
    const { code, text } = await check(file)
    t.equal(code, 2, text)
    t.strictSame(found(text, [literal, pemLine]), [])
  }
})

t.test('a secret is read from a file, and from nothing that a start would wait for', async (t) => {
  const directory = await tempDirectory(t)
  const file = path.join(directory, 'edge.yaml')
  const at = (name: string) => path.join(directory, name)
  await writeFile(at('good'), `${secret()}\n`)
  await writeFile(at('huge'), Buffer.alloc(70_000, 'x'))
  await symlink(at('good'), at('linked'))
  await symlink(at('circle'), at('circle'))
  t.equal(spawnSync('mkfifo', [at('pipe')]).status, 0)
  for (const [name, expected] of [
    [at('good'), null],
    ['good', null],
    [at('linked'), null],
    [at('missing'), /does not exist/],
    [directory, /is a directory/],
    [at('huge'), /larger than 64 KiB/],
    [at('pipe'), /not a regular file/],
    [at('circle'), /ELOOP|symbolic links/],
    ['/dev/zero', /not a regular file/],
    ['/dev/stdin', /not a regular file/],
    ['/dev/null', /not a regular file/],
  ] as const) {
    const tokens = { scheme: 'type-a', keys: [`\${file:${name}}`] }
    await writeFile(file, fileWith(tokens))
    const { code, text } = await check(file)
    if (expected === null) t.equal(code, 0, `${name} ${text}`)
    else t.match({ code, text }, { code: 2, text: expected }, name)
  }
})
