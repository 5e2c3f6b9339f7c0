// Secrets stay where they are: real daemons with every scheme are sent odd requests, their origin fails, and then all that
// they and the commands wrote (log, replies, metrics, health, disk) is searched for keys and tokens.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { signUrlTarget } from '../../src/access/sign-url.ts'
import { systemClock } from '../../src/clock.ts'
import { accessSchema } from '../../src/config/access-schema.ts'
import { IN_FILE } from '../../src/config/scalar-form.ts'
import type { TokenSettings } from '../../src/config/token-schema.ts'
import { get } from '../kit/client.ts'
import type { Reply } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import { startEdge } from '../kit/edge.ts'
import { edgeFile, found, secret } from '../kit/leaks.ts'
import { runCommand } from '../kit/process.ts'
import { openRaw } from '../kit/raw-client.ts'
import type { TestScope } from '../kit/scope.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { tempDirectory } from '../kit/temp.ts'

const REQUESTS = Number(process.env['EDGEWARD_LEAK_REQUESTS'] ?? '1000')
const MEDIA = {
  body: '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nseg.ts\n#EXT-X-ENDLIST\n',
  fields: { 'Content-Type': 'application/vnd.apple.mpegurl', 'Cache-Control': 'max-age=60' },
}

const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
const pem = ec.export({ type: 'pkcs8', format: 'pem' })
const pemLine = pem.split('\n')[1] ?? ''

interface Protected {
  readonly scheme: string
  readonly secrets: readonly string[]
  readonly tokens: Record<string, unknown>
}

const hex = randomBytes(24).toString('hex')
const shared = (scheme: string, more: object = {}): Protected => {
  const [first, second] = [secret(), secret()]
  return { scheme, secrets: [first, second], tokens: { scheme, keys: [first, second], ...more } }
}
const SCHEMES: readonly Protected[] = [
  shared('type-a'),
  shared('type-b', { carry: 'path' }),
  shared('type-c', { carry: 'path' }),
  shared('type-d', { hash: 'sha256' }),
  shared('secure-link', { carry: 'cookie', cookie: { secure: false } }),
  ((salt) => ({ scheme: 'hdnts', secrets: [hex, salt], tokens: { scheme: 'hdnts', keys: [hex], salt } }))(
    secret(),
  ),
  ((grant, decryption) => ({
    scheme: 'uri-signing',
    secrets: [pemLine, grant, decryption],
    tokens: {
      scheme: 'uri-signing',
      keys: [{ id: 'k', algorithm: 'ES256', secret: pem }],
      decryptionKey: decryption,
      grantKeys: [grant],
    },
  }))(secret(), secret()),
  ((mac, signing) => ({
    scheme: 'cat',
    secrets: [mac, signing],
    tokens: {
      scheme: 'cat',
      keys: [{ algorithm: 'HS256', secret: mac }],
      signingKey: { algorithm: 'HS512', secret: signing },
    },
  }))(secret(), secret()),
]

function propertyOf({ scheme, tokens }: Protected): object {
  const access = { tokens, keys: { match: ['*.key'] }, userAgents: { deny: ['denied*'] } }
  const cors = tokens['carry'] === 'cookie' ? { cors: { origins: ['https://tv.example.com'] } } : {}
  return { id: scheme, hosts: [`${scheme}.example.com`], origins: [{ id: 'studio' }], access, ...cors }
}

function settingsOf({ tokens }: Protected): TokenSettings {
  const settings = accessSchema(IN_FILE).parse({ tokens }).tokens
  if (settings === undefined) throw new Error('no tokens')
  return settings
}

function signedTarget(one: Protected, target: string, forMs = 600_000): Promise<string> {
  const nowMs = systemClock.now()
  const origin = `http://${one.scheme}.example.com`
  return signUrlTarget(settingsOf(one), target, { nowMs, expiresMs: nowMs + forMs, origin })
}

/** The parts of a signed target that a log must not hold: whatever is long enough to be the proof in it. */
function proofsOf(signed: string): string[] {
  return signed.split(/[^A-Za-z0-9_-]+/).flatMap((part) => (part.length >= 20 ? [part.slice(-20)] : []))
}

function grantProofsOf(reply: Reply): string[] {
  const all = `${reply.text}\n${JSON.stringify(reply.headers)}`
  return [...all.matchAll(/[0-9a-z]{6}\.(?:x|\d+)\.[\w-]{11}(?:\.a)?\.([\w-]{22})/g)].map(
    ([, mac]) => mac ?? '',
  )
}

/** Ways in which clients, proxies and attackers bring a target. */
const ODD: readonly ((target: string, host: string) => string)[] = [
  (target, host) => `GET ${target} HTTP/1.1\r\nHost: ${host}`,
  (target, host) => `HEAD ${target} HTTP/1.1\r\nHost: ${host}\r\nReferer: http://${host}${target}`,
  (target, host) => `GET ${target}&x=${'y'.repeat(50)} HTTP/1.1\r\nHost: ${host}\r\nRange: bytes=0-3`,
  (target, host) => `POST ${target} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0`,
  (target, host) => `GET ${target}X HTTP/1.1\r\nHost: ${host}`,
  (target, host) => `GET ${target.slice(0, -1)} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: denied`,
  (target, host) => `GET ${target} HTTP/1.1\r\nHost: nobody.example\r\nCookie: hdnts=${target};x=${host}`,
  (target, host) => `GET http://${host}${target} HTTP/1.1\r\nHost: ${host}`,
  (target, host) => `GET ${target}%00%zz HTTP/1.1\r\nHost: ${host}`,
  (target, host) => `GET ${target}#x HTTP/1.1\r\nHost: ${host}`,
  (target, host) => `GET ${target} HTTP/1.0\r\nHost: ${host}`,
  (target, host) => `GET /~nothing${target} HTTP/1.1\r\nHost: ${host}`,
  (target, host) => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nCDN-Loop: edgeward; id="solo"`,
  (target, host) =>
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nCMCD-Request: nor="${encodeURIComponent(target)}"`,
  (target, host) => `OPTIONS ${target} HTTP/1.1\r\nHost: ${host}\r\nOrigin: https://tv.example.com`,
  (target, host) => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nbad header: ${target}`,
  (target, host) => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-For: ${target}`,
  (target, host) => `GET ${target.replace('ep1', 'gone')} HTTP/1.1\r\nHost: ${host}`,
]

async function sendRaw(scope: TestScope, url: string, head: string): Promise<string> {
  const client = await openRaw(scope, url)
  client.send(`${head}\r\nConnection: close\r\n\r\n`)
  return (await client.readAll()).toString('latin1')
}

async function filesBelow(directory: string): Promise<string> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = names.filter((name) => name.isFile()).map((name) => path.join(name.parentPath, name.name))
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n')
}

/** What any user of the machine sees of a process. */
async function argumentsOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, 'latin1')
}

t.test('an edge with every scheme, a thousand odd requests, an origin that fails', async (t) => {
  const origin = await startOrigin(t, {
    '/ep1/main.m3u8': MEDIA,
    '/ep1/seg.ts': { body: 'media', fields: { 'Cache-Control': 'max-age=60' } },
  })
  const edge = await startEdge(t, { origin: origin.url, properties: SCHEMES.map(propertyOf) })
  const keys = SCHEMES.flatMap(({ secrets }) => secrets)
  const proofs = new Set<string>()
  const replies: string[] = []
  const grants: string[] = []
  for (const one of SCHEMES) {
    const host = `${one.scheme}.example.com`
    const signed = await signedTarget(one, '/ep1/main.m3u8')
    for (const proof of proofsOf(signed)) proofs.add(proof)
    const first = await get(edge.url + signed, { headers: { host } })
    t.ok(
      first.status === 200 || first.status === 302,
      `${one.scheme}: ${first.status} ${first.text.slice(0, 60)}`,
    )
    for (const proof of grantProofsOf(first)) proofs.add(proof)
    for (const uri of [...first.text.matchAll(/^seg\.ts.*$/gm)].map(([line]) => `/ep1/${line}`))
      grants.push(uri)
    if (first.headers.location !== undefined) grants.push(first.headers.location)
  }
  t.ok(proofs.size >= SCHEMES.length * 2, 'each has a token and a grant')
  for (let i = 0; i < REQUESTS; i++) {
    const one = SCHEMES[i % SCHEMES.length]
    const odd = ODD[i % ODD.length]
    if (one === undefined || odd === undefined) continue
    const targets = [
      await signedTarget(one, i % 5 === 0 ? `/ep1/seg-${i}.ts` : '/ep1/main.m3u8', (i % 7) * 1000 - 2000),
      grants[i % grants.length] ?? '/',
    ]
    const target = targets[i % 3 === 0 ? 1 : 0] ?? '/'
    for (const proof of proofsOf(target)) proofs.add(proof)
    if (i === Math.floor(REQUESTS / 2)) await origin.stop()
    replies.push(await sendRaw(t, edge.url, odd(target, `${one.scheme}.example.com`)))
  }
  const health: string[] = []
  for (const at of ['/metrics', '/healthz', '/readyz', '/nothing', '/metrics?auth_key=x'])
    health.push((await get(edge.admin + at)).text)
  const log = edge.process.stderr()
  t.ok(log.split('\n').length > REQUESTS / 2, 'it logged')
  t.ok(log.includes('token_wrong') && log.includes('ECONNREFUSED'))
  t.strictSame(found(log, [...keys, ...proofs]), [], 'no key and no token in the log')
  t.notMatch(log, /node:internal|\.ts:\d+/, 'no stack trace')
  t.strictSame(found(replies.join('\n'), keys), [], 'no key in a reply')
  t.strictSame(found(health.join('\n'), [...keys, ...proofs]), [], 'nothing in metrics and health')
  t.strictSame(
    found(await filesBelow(path.join(edge.directory, 'cache')), [...keys, ...proofs]),
    [],
    'nothing on disk',
  )
  t.strictSame(found(await argumentsOf(edge.process.pid), keys), [])
  t.strictSame(
    ['/ep1/main.m3u8', '/ep1/seg.ts', '/gone/main.m3u8'].flatMap((at) =>
      found(JSON.stringify(origin.requests(at)), proofs),
    ),
    [],
    'nothing at the origin',
  )
})

t.test('a scheduler and its edge: log, admin interface, and the copy that the edge keeps', async (t) => {
  const origin = await startOrigin(t, { '/ep1/main.m3u8': MEDIA })
  const one = SCHEMES[1]
  if (one === undefined) throw new Error('no scheme')
  const { access } = Object.fromEntries(Object.entries(propertyOf(one)))
  const cluster = await startCluster(t, {
    origin: origin.url,
    sites: { here: { edges: ['here-1', 'here-2'] } },
    property: { access },
    wrongKeys: ['here-2'],
  })
  const edge = cluster.edge('here-1')
  const proofs = new Set<string>()
  const replies: string[] = []
  for (let i = 0; i < REQUESTS / 5; i++) {
    const signed = await signedTarget(one, '/ep1/main.m3u8', (i % 7) * 1000 - 2000)
    for (const proof of proofsOf(signed)) proofs.add(proof)
    const odd = ODD[i % ODD.length]
    for (const url of [cluster.steering, edge.url])
      if (odd !== undefined) replies.push(await sendRaw(t, url, odd(signed, 'shows.example.com')))
  }
  const admin: string[] = []
  for (const at of [
    '/metrics',
    '/healthz',
    '/readyz',
    '/api/v1/edges',
    '/api/v1/config',
    '/api/v1/properties',
    '/console/',
  ])
    admin.push((await get(cluster.admin + at)).text)
  for (const at of ['/edge/v1/config', '/edge/v1/config?key=x']) {
    const reply = await get(cluster.control + at, { headers: { authorization: 'Bearer wrong' } })
    t.ok(reply.status >= 400, 'the configuration is for edges alone')
    admin.push(reply.text)
  }
  const logs = cluster.scheduler.stderr() + edge.process.stderr() + cluster.edge('here-2').process.stderr()
  t.match(logs, /steered/)
  t.strictSame(found(logs, [...one.secrets, ...proofs]), [])
  t.strictSame(found(admin.join('\n') + replies.join('\n'), one.secrets), [])
  t.strictSame(found(await argumentsOf(cluster.scheduler.pid), one.secrets), [])
  const saved = (await readdir(edge.directory, { recursive: true })).filter((name) =>
    name.includes('edge-config'),
  )
  t.equal(saved.length, 1)
  for (const name of saved) {
    const file = path.join(edge.directory, name)
    t.strictSame(
      found(await readFile(file, 'utf8'), one.secrets).length,
      2,
      'it starts without the scheduler',
    )
    t.equal((await stat(file)).mode & 0o777, 0o600, 'and nobody else may read it')
  }
})

t.test('explain and sign show what was asked and what decides, and no secret', async (t) => {
  const directory = await tempDirectory(t)
  const file = path.join(directory, 'edge.yaml')
  await writeFile(file, edgeFile(SCHEMES.map(propertyOf)))
  const keys = SCHEMES.flatMap(({ secrets }) => secrets)
  for (const one of [SCHEMES[0], SCHEMES[1]]) {
    if (one === undefined) continue
    const signed = await signedTarget(one, '/ep1/main.m3u8')
    const url = `http://${one.scheme}.example.com${signed}`
    const named = ['--referer', url, '--header', `Cookie: hdnts=${keys[0]}`, '--user-agent', 'denied']
    for (const args of [['--json', ...named], named].slice(one.scheme === 'type-a' ? 1 : 0)) {
      const { stdout, stderr } = await runCommand(t, ['explain', url, '--config', file, ...args])
      t.match(stdout, /ep1\/main\.m3u8/)
      t.strictSame(
        found(stdout + stderr, [...keys, ...proofsOf(signed)]),
        [],
        `${one.scheme} ${args.join(' ')}`,
      )
    }
    const made = await runCommand(t, [
      'sign',
      `http://${one.scheme}.example.com/ep1/main.m3u8`,
      '--config',
      file,
    ])
    t.equal(made.code, 0)
    t.strictSame(found(made.stdout + made.stderr, keys), [])
    t.notOk(
      made.stdout.includes(
        createHash('md5')
          .update(keys[0] ?? '')
          .digest('hex'),
      ),
    )
  }
})
