// Purges of a cluster of ten edges at two sites, by every way there is, as an operator types them: what they name is
// asked for again at every edge, and nothing else is.
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { startCluster } from '../kit/cluster.ts'
import { metricOf } from '../kit/metric.ts'
import { runCommand } from '../kit/process.ts'
import { applied, ask, outcomeOf, postPurge, purge } from '../kit/purging.ts'
import type { Asked } from '../kit/purging.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const HOST = 'http://shows.example.com'
const PATHS = ['/ep1/main.txt', '/ep1/a.ts', '/ep2/a.ts', '/ep2/b.mp4'] as const
const TAGS: Record<string, Record<string, string>> = {
  '/ep1/main.txt': { 'Surrogate-Key': 'episode-1 texts', 'Cache-Tag': 'all,main' },
  '/ep1/a.ts': { 'Surrogate-Key': 'episode-1' },
  '/ep2/a.ts': { 'Cache-Tag': 'episode-2, segments' },
  '/ep2/b.mp4': { 'Cache-Tag': 'films,episode-2' },
}

/** What the origin is at: each answer names it. */
let version = 1
const origin = await startOrigin(t, {
  ...Object.fromEntries(
    PATHS.map((path) => [
      path,
      () => ({
        body: `${version} ${path}`,
        fields: { 'Cache-Control': 'public, max-age=600', ETag: `"${version}"`, ...TAGS[path] },
      }),
    ]),
  ),
  '/spoken.txt': ({ headers }) => ({
    body: `${version} in ${headers['accept-language']}`,
    fields: { 'Cache-Control': 'max-age=600', Vary: 'Accept-Language', ETag: `"${version}"` },
  }),
  // One strong ETag for all bodies, which is what a purge is called in for.
  '/film.mp4': () => ({
    body: bytesOf(version, 300_000),
    fields: { 'Cache-Control': 'max-age=600', ETag: '"film"', 'Content-Type': 'video/mp4' },
  }),
})

const edges = (site: string) => [1, 2, 3, 4, 5].map((n) => `${site}-${n}`)
const cluster = await startCluster(t, {
  origin: origin.url,
  sites: { east: { edges: edges('e') }, west: { edges: edges('w') } },
  edgeConfig: {
    cache: { memory: '64MiB', slice: '64KiB', directories: [{ path: './cache', size: '1GiB' }] },
  },
})
const ALL = [...cluster.edges.values()]

const WAYS: readonly [name: string, purges: readonly Asked[], goes: readonly string[]][] = [
  ['a URL', [{ url: `${HOST}/ep1/a.ts` }], ['/ep1/a.ts']],
  ['a URL in another spelling', [{ url: `${HOST}:80/ep2/../ep1/%61.ts?utm_source=x` }], ['/ep1/a.ts']],
  [
    'two URLs',
    [{ url: `${HOST}/~shows/ep1/a.ts` }, { url: `${HOST}/ep2/b.mp4` }],
    ['/ep1/a.ts', '/ep2/b.mp4'],
  ],
  ['a prefix', [{ prefix: `${HOST}/ep2/` }], ['/ep2/a.ts', '/ep2/b.mp4']],
  ['a wildcard', [{ property: 'shows', wildcard: '*.ts' }], ['/ep1/a.ts', '/ep2/a.ts']],
  ['a surrogate key', [{ property: 'shows', tag: 'episode-1' }], ['/ep1/main.txt', '/ep1/a.ts']],
  ['a cache tag', [{ property: 'shows', tag: 'episode-2' }], ['/ep2/a.ts', '/ep2/b.mp4']],
  ['a property', [{ property: 'shows' }], PATHS],
  ['everything', [{ all: true }], PATHS],
]

/** Stores all of the origin's present version at each edge. */
async function fill(): Promise<void> {
  await purgeByApi({ all: true })
  await Promise.all(ALL.flatMap((edge) => PATHS.map((path) => ask(edge, path))))
}

async function purgeByApi(body: Asked): Promise<void> {
  await applied(cluster.admin, await postPurge(cluster.admin, body), [...cluster.edges.keys()])
}

function commandOf({ url, prefix, ...options }: Asked): string[] {
  if (url !== undefined || prefix !== undefined) {
    return [...(prefix === undefined ? [] : ['--prefix']), String(url ?? prefix)]
  }
  return Object.entries(options).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, String(value)],
  )
}

/** What each edge makes of each path, and which version it gives. */
async function outcomes(): Promise<Map<string, { outcome: string; text: string }>> {
  const asked = ALL.flatMap((edge) =>
    PATHS.map(async (path) => {
      const reply = await ask(edge, path)
      return [`${edge.id} ${path}`, { outcome: outcomeOf(reply), text: reply.text }] as const
    }),
  )
  return new Map(await Promise.all(asked))
}

for (const [name, purges, goes] of WAYS) {
  const isGone = (place: string) => goes.includes(place.slice(place.indexOf(' ') + 1))

  t.test(`${name}, hard, by the command`, async (t) => {
    await fill()
    const { code, stdout, stderr } = await purge(t, cluster, ...purges.flatMap(commandOf))
    t.match({ code, stderr }, { code: 0, stderr: '' })
    t.match(stdout, /^(?:\d+-\d+\n)+applied at 10 of 10 edges, the slowest after \d+ ms\n$/)
    version++
    for (const [place, { outcome, text }] of await outcomes()) {
      t.equal(outcome, isGone(place) ? 'uri-miss' : 'hit', place)
      t.ok(text.startsWith(`${isGone(place) ? version : version - 1} `), `${place}: ${text}`)
    }
  })

  t.test(`${name}, soft`, async (t) => {
    await fill()
    for (const body of purges) await purgeByApi({ ...body, soft: true })
    for (const [place, { outcome, text }] of await outcomes()) {
      // The origin says that it still holds.
      t.equal(outcome, isGone(place) ? 'stale 304' : 'hit', place)
      t.ok(text.startsWith(`${version} `), `${place}: ${text}`)
    }
  })
}

t.test('all variants and all slices of an object go with it', async (t) => {
  const [edge = cluster.edge('e-1')] = ALL
  const spoken = (language: string) => ask(edge, '/spoken.txt', { headers: { 'Accept-Language': language } })
  const range = async (start: number) => {
    const reply = await ask(edge, '/film.mp4', { headers: { Range: `bytes=${start}-${start + 9}` } })
    return { outcome: outcomeOf(reply), bytes: reply.body }
  }
  await spoken('en')
  await spoken('de')
  await ask(edge, '/film.mp4')
  t.equal(outcomeOf(await spoken('en')), 'hit')
  t.equal((await range(200_000)).outcome, 'hit')

  await purge(t, cluster, `${HOST}/spoken.txt`, `${HOST}/film.mp4`)
  version++
  for (const language of ['en', 'de']) {
    const reply = await spoken(language)
    t.equal(reply.text, `${version} in ${language}`)
    t.not(outcomeOf(reply), 'hit', language)
  }
  const film = bytesOf(version, 300_000)
  for (const start of [290_000, 200_000, 0, 65_530]) {
    t.ok((await range(start)).bytes.equals(film.subarray(start, start + 10)), `of the new one from ${start}`)
  }
  t.ok((await ask(edge, '/film.mp4')).body.equals(film))
})

t.test('tags stay between the origin and the edge', async (t) => {
  for (const path of PATHS) {
    for (const outcome of ['fetched', 'stored']) {
      const { headers } = await ask(cluster.edge('w-5'), path)
      t.notOk(headers['surrogate-key'] ?? headers['cache-tag'], `${path} ${outcome}`)
    }
  }
})

t.test(
  'with no origin: what was purged softly stands in for an error, what went hard does not',
  async (t) => {
    const edge = cluster.edge('e-2')
    await fill()
    await purgeByApi({ prefix: `${HOST}/ep1/`, soft: true })
    await purgeByApi({ prefix: `${HOST}/ep2/` })
    await origin.stop()
    t.teardown(() => origin.start())
    for (const path of PATHS) {
      const reply = await ask(edge, path)
      t.equal(reply.status, path.startsWith('/ep1/') ? 200 : 502, path)
      if (reply.status === 200) t.equal(reply.text, `${version} ${path}`)
    }
  },
)

t.test('the status of a purge names each edge', async (t) => {
  const { stdout } = await purge(t, cluster, '--soft', '--property', 'shows', '--tag', 'none')
  const [id = ''] = stdout.split('\n')
  const status = await runCommand(t, ['purge', 'status', id, '--admin', cluster.admin])
  t.match(status.stdout, /^soft purge of shows: tag none, at \d{4}-.*\napplied at 10 of 10 edges/)
  for (const { id: edge } of ALL) t.match(status.stdout, new RegExp(`^${edge} +up +\\d+ ms$`, 'm'))
  t.match(await runCommand(t, ['purge', 'status', '1-1', '--admin', cluster.admin]), {
    code: 1,
    stderr: /no purge of that id is kept/,
  })
  t.match(await runCommand(t, ['purge', 'status']), { code: 2, stderr: /missing required argument 'id'/ })
})

t.test('how soon ten edges have applied a purge', async (t) => {
  const took: number[] = []
  for (let i = 0; i < 50; i++) {
    const id = await postPurge(cluster.admin, { property: 'shows', tag: `t${i}` })
    const status = await applied(cluster.admin, id, [...cluster.edges.keys()])
    took.push(Math.max(...status.edges.map(({ tookMs }) => tookMs ?? Number.NaN)))
  }
  took.sort((a, b) => a - b)
  t.comment(
    `slowest of ten edges, 50 purges: median ${took[25]} ms, 90 % ${took[45]} ms, most ${took[49]} ms`,
  )
  t.ok(took.every((ms) => ms >= 0))
})

function counted(daemon: string, name: string, scope: string, mode: string): Promise<number> {
  return metricOf(daemon, `${name}{scope="${scope}",mode="${mode}"}`)
}

t.test('purges are counted, by scope and mode', async (t) => {
  const { admin } = cluster.edge('e-1')
  for (const [scope, mode] of [
    ['url', 'hard'],
    ['prefix', 'soft'],
    ['tag', 'hard'],
    ['all', 'soft'],
  ] as const) {
    const told = await counted(cluster.admin, 'edgeward_scheduler_purges_total', scope, mode)
    t.ok(told > 0)
    t.equal(await counted(admin, 'edgeward_edge_purges_applied_total', scope, mode), told, `${scope} ${mode}`)
  }
  t.ok((await metricOf(admin, 'edgeward_edge_purge_rules')) > 50)
})
