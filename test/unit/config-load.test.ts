// Files that can be used: what the settings hold, defaults, environment references, the modes of an edge.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { edgeConfigOf } from '../../src/config/edge-config.ts'
import { loadSchedulerConfig } from '../../src/config/load.ts'
import { edgeConfigSchema } from '../../src/wire/edge-config.ts'
import { edgeOf, fileOf, problemsOf, schedulerOf } from '../fixtures/config/load-text.ts'

const SCHEDULER_FILE = path.join(import.meta.dirname, '../fixtures/config/scheduler.yaml')
const SCHEDULER = await readFile(SCHEDULER_FILE, 'utf8')
const STANDALONE = `
id: solo
origins: [{ id: studio, url: "http://127.0.0.1:9000" }]
properties: [{ id: all, hosts: ["*"], origins: [{ id: studio }] }]
`
const JOINED = `
id: gz-1
scheduler: [https://control.example.com:8081]
key: \${EDGE_KEY}
`
const SECRET = 'ewk_do-not-print-me-anywhere'

t.test('a scheduler’s settings with every default', async (t) => {
  const config = await loadSchedulerConfig(SCHEDULER_FILE, {})
  t.equal(config.directory, path.dirname(SCHEDULER_FILE))
  t.strictSame(config.settings.scheduler, {
    steering: { listen: { host: '0.0.0.0', port: 8080 }, redirect: 'path' },
    control: { listen: { host: '0.0.0.0', port: 8081 } },
    admin: { listen: { host: '127.0.0.1', port: 8082 } },
    geoip: {},
    probes: { every: 2000, timeout: 1000 },
    trustedProxies: [],
    accessLog: true,
    decisionLog: 0,
    drain: 10_000,
  })
  t.strictSame(config.settings.edges[0]?.capacity, { bandwidth: 1e9, connections: 20_000 })
  t.strictSame(config.settings.properties[0]?.cache, {
    defaultTtl: 0,
    setCookie: 'pass',
    staleIfError: 86_400_000,
    rules: [],
  })
  t.strictSame(config.settings.properties[0]?.cors, { origins: ['*'] })
})

t.test('relative paths are those of the file', async (t) => {
  const geoip = 'scheduler: { geoip: { city: [a.mmdb, /b.mmdb], country: sub/c.mmdb } }\n'
  const scheduler = await schedulerOf(t, geoip + SCHEDULER)
  t.strictSame(scheduler.settings.scheduler.geoip, {
    city: [path.join(scheduler.directory, 'a.mmdb'), '/b.mmdb'],
    country: path.join(scheduler.directory, 'sub/c.mmdb'),
  })
  const edge = await edgeOf(t, `${STANDALONE}cache: { directories: [{ path: ./cache, size: 1.5GiB }] }\n`)
  t.strictSame(edge.settings.cache, {
    memory: 256 * 2 ** 20,
    slice: 2 * 2 ** 20,
    directories: [{ path: path.join(edge.directory, 'cache'), size: 1.5 * 2 ** 30 }],
  })
})

t.test('the version follows what edges need and nothing else', async (t) => {
  const version = async (text: string) => (await schedulerOf(t, text)).version
  const first = await version(SCHEDULER)
  t.equal(await version(`# a comment\ndefaultSite: north\n${SCHEDULER}`), first)
  t.not(await version(SCHEDULER.replace('9000/content', '9001/content')), first)
  t.not(await version(`${SCHEDULER}    cache: { defaultTtl: 1s }\n`), first)
})

t.test('the configuration for edges resolves origins and passes the wire’s own schema', async (t) => {
  const text = `${SCHEDULER}    cache: { defaultTtl: 10s, rules: [{ match: "*.m4s", ttl: 1h }] }\n`
  const { settings, version } = await schedulerOf(t, text)
  const config = edgeConfigOf(settings)
  t.strictSame(edgeConfigSchema.parse(JSON.parse(JSON.stringify(config))), config)
  t.strictSame(config, {
    version,
    steeringUrl: null,
    propertyLabels: false,
    origins: [
      {
        id: 'studio',
        url: 'http://127.0.0.1:9000/content',
        headers: {},
        connections: 64,
        timeouts: { connect: 3000, head: 10_000, body: 15_000 },
      },
    ],
    properties: [
      {
        id: 'shows',
        hosts: ['shows.example.com'],
        origins: [{ id: 'studio', weight: 1, backup: false, sites: [] }],
        originChoice: 'order',
        failover: { statuses: [500, 502, 503, 504], attempts: 3, hedge: false },
        cache: {
          defaultTtlMs: 10_000,
          rules: [{ match: '*.m4s', ttlMs: 3_600_000 }],
          setCookie: 'pass',
          staleIfErrorMs: 86_400_000,
        },
        forward: ['accept', 'accept-language', 'authorization', 'user-agent'],
        methods: ['GET', 'HEAD', 'OPTIONS'],
        cors: { origins: ['*'] },
        playlists: { hosts: [], compress: true },
        prefetch: { segments: 0 },
        access: {},
        limits: { client: {}, over: 'refuse' },
      },
    ],
  })
})

t.test('an edge’s mode is told by its keys', async (t) => {
  t.equal((await edgeOf(t, STANDALONE)).mode, 'standalone')
  const joined = await edgeOf(t, JOINED, { EDGE_KEY: SECRET })
  t.match(joined, { mode: 'joined', settings: { key: SECRET, drain: 30_000 } })
  const choice = 'an edge either joins a cluster (scheduler, key) or stands alone (origins, properties)'
  t.strictSame(await problemsOf(edgeOf(t, 'id: a\nlisten: 127.0.0.1:0\n')), [
    `1 : ${choice}; this file has neither`,
  ])
  const both = `${STANDALONE}key: ${SECRET}\nlisten: nowhere\n`
  t.strictSame(await problemsOf(edgeOf(t, both)), [
    `4 : ${choice}; this file has key and properties and origins`,
    '6 listen: must be an address and port such as 0.0.0.0:8080 or [::]:8080',
  ])
  t.strictSame(await problemsOf(edgeOf(t, 'id: a\nkey: short\n')), [
    '1 scheduler: is missing',
    '2 key: must have at least 16 characters',
  ])
  t.strictSame(await problemsOf(edgeOf(t, 'id: a\nproperties: [{ id: all, origins: [{ id: x }] }]\n')), [
    '1 origins: is missing',
    '2 properties[0].origins[0].id: names no origin of this file: "x"',
  ])
})

t.test('cache directories and listeners of an edge do not collide', async (t) => {
  const cache =
    'cache: { slice: 100MiB, directories: [{ path: a/b, size: 1GiB }, { path: a/./b, size: 1GiB }] }\n'
  t.strictSame(
    await problemsOf(edgeOf(t, `${STANDALONE}${cache}listen: 127.0.0.1:1\nadmin: 127.0.0.1:1\n`)),
    [
      '5 cache.directories[1].path: "a/./b" is also cache.directories[0].path (line 5)',
      '5 cache.slice: must be from 1KiB to 64MiB',
      '7 admin: "127.0.0.1:1" is also listen (line 6)',
    ],
  )
  const free = await edgeOf(t, `${STANDALONE}listen: "[::1]:0"\nadmin: localhost:0\n`)
  t.match(free.settings, { listen: { host: '::1', port: 0 }, admin: { host: 'localhost', port: 0 } })
})

t.test('environment references', async (t) => {
  const env = {
    N: '250',
    YES: 'false',
    HOST: 'a.example',
    EMPTY: '',
    YAML: '[1, 2]',
    NUMERIC: '12345678901234567890',
  }
  const edge = async (more: string) => edgeOf(t, STANDALONE + more, env)
  t.match(await edge('accessLog: ${YES}\n'), { settings: { accessLog: false } }, 'a plain boolean')
  t.match(await edge('drain: ${N}ms\n'), { settings: { drain: 250 } }, 'a part of a text')
  t.strictSame(await problemsOf(edge('drain: "${EMPTY}"\n')), [
    '5 drain: must be a duration such as 250ms, 30s, 5m, 1h or 7d',
  ])
  t.strictSame(await problemsOf(edge('accessLog: "${YES}"\n')), ['5 accessLog: must be true or false'])
  t.strictSame(await problemsOf(edge('listen: ${YAML}\n')), [
    '5 listen: must be an address and port such as 0.0.0.0:8080 or [::]:8080',
  ])
  t.strictSame(await problemsOf(edge('listen: "${lower-case}"\nadmin: "${OPEN"\ndrain: ${NONE}\n')), [
    '5 listen: has a broken reference: write ${NAME} or ${file:PATH}, or $${ for a literal ${',
    '6 admin: has a broken reference: write ${NAME} or ${file:PATH}, or $${ for a literal ${',
    '7 drain: ${NONE} is not set in the environment',
  ])
  const escaped = await edge('cache: { directories: [{ path: "/x/$${HOST}/${HOST}/$5", size: 1GiB }] }\n')
  t.equal(escaped.settings.cache.directories[0]?.path, '/x/${HOST}/a.example/$5')
  const connections = SCHEDULER.replace(
    '    url: http://127.0.0.1:8090',
    '$&\n    capacity: { connections: "${N}" }',
  )
  t.strictSame(await problemsOf(schedulerOf(t, connections, env)), [
    '10 edges[0].capacity.connections: must be a number',
  ])
  const plain = SCHEDULER.replace(
    '    url: http://127.0.0.1:8090',
    '$&\n    capacity:\n      connections: ${N}',
  )
  t.equal((await schedulerOf(t, plain, env)).settings.edges[0]?.capacity.connections, 250)
  const digits = JOINED.replace('${EDGE_KEY}', '"${NUMERIC}"')
  t.match(await edgeOf(t, digits, env), { settings: { key: env.NUMERIC } }, 'in quotes digits stay text')
})

t.test('no message holds a secret or the value of a reference', async (t) => {
  const env = { SECRET, HASH: `sha1:${SECRET}`, REDIS: `http://:${SECRET}@redis` }
  const scheduler = `
cluster: "\${SECRET}"
scheduler: { redis: "\${REDIS}", trustedProxies: ["\${SECRET}"], steering: { listen: "\${SECRET}" } }
defaultSite: "\${SECRET}"
sites: [{ id: "\${SECRET}" }, { id: "\${SECRET}" }]
edges:
  - { id: a, site: ewk_do-not-print-me-anywherf, url: "http://u:${SECRET}@h", keyHash: "\${HASH}" }
  - { id: a, site: b, url: "http://u:${SECRET}@h", keyHash: ${SECRET} }
origins: [{ id: a, url: "\${SECRET}" }]
properties: [{ id: a, origins: [{ id: "\${SECRET}" }], hosts: ["\${SECRET}", "\${SECRET}"] }]
`
  const found = await problemsOf(schedulerOf(t, scheduler, env))
  t.ok(found.length >= 15, `${found.length} problems`)
  t.strictSame(
    found.filter((line) => line.includes(SECRET)),
    [],
  )
  const broken = [
    `id: a\nkey: "${SECRET}\n`,
    `id: a\nkey: '${SECRET}' ${SECRET}\n`,
    `id: a\nkey: @${SECRET}\n`,
    `id: a\nkey: *${SECRET}\n`,
    `id: a\nkey: !${SECRET} x\n`,
    `id: a\nkey: "\\${SECRET}"\n`,
    `id: a\nkey: {${SECRET}\n`,
    `id: a\nkey: | ${SECRET}\n`,
    `%${SECRET}\nid: a\n`,
  ]
  for (const text of broken) {
    const problems = await problemsOf(edgeOf(t, text))
    t.not(problems.length, 0, JSON.stringify(text))
    t.strictSame(
      problems.filter((line) => line.includes(SECRET)),
      [],
    )
  }
})

t.test('the bytes of a file: a byte order mark is skipped, what is not UTF-8 is refused', async (t) => {
  t.equal((await edgeOf(t, `\uFEFF${STANDALONE}`)).mode, 'standalone')
  const file = await fileOf(t, 'edge.yaml', '')
  await writeFile(file, Buffer.from([0x69, 0x64, 0x3a, 0x20, 0xff, 0x0a]))
  t.strictSame(await problemsOf(loadSchedulerConfig(file, {})), ['null : is not UTF-8 text'])
})
