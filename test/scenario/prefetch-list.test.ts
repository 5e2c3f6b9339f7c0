// A library's list of ten thousand URLs is taken in as a stream and divided among edges; of a list with a mistake nothing
// is begun, and the line is named.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { get } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import { freePort } from '../kit/ports.ts'
import { SHOWS, begin, listOf, postList, prefetch, progressOf, untilDone } from '../kit/prefetching.ts'
import { ask } from '../kit/purging.ts'
import { tempDirectory } from '../kit/temp.ts'
import { prefetchReplySchema } from '../../src/wire/prefetch.ts'

const COUNT = 10_000
const asked = new Map<string, number>()
// A plain server: what a scripted origin keeps of each path would be most of the test.
const port = await freePort()
const server = createServer((request, response) => {
  const target = request.url ?? ''
  asked.set(target, (asked.get(target) ?? 0) + 1)
  response.setHeader('Cache-Control', 'max-age=86400')
  response.end(`body of ${target}`)
})
server.listen(port, '127.0.0.1')
await once(server, 'listening')
t.teardown(() => server.close())
const cluster = await startCluster(t, {
  origin: `http://127.0.0.1:${port}`,
  sites: { guangzhou: { edges: ['gz-1', 'gz-2'] }, frankfurt: { edges: ['fra-1'] } },
})

const urlAt = (i: number) => `${SHOWS}/library/${i % 500}/${i}.ts`

t.test('ten thousand URLs of a file', async (t) => {
  const file = path.join(await tempDirectory(t), 'urls.txt')
  await writeFile(
    file,
    `# the library\n\n${Array.from({ length: COUNT }, (_none, i) => urlAt(i)).join('\r\n')}\n`,
  )
  const { code, stdout, stderr } = await prefetch(t, cluster, '--file', file)
  t.equal(code, 0, stderr)
  const status = await untilDone(cluster.admin, stdout.trim(), 90_000)
  const counts = ['gz-1', 'gz-2', 'fra-1'].map((edge) => progressOf(status, edge)?.counts.fetched ?? 0)
  const [first = 0, second = 0, alone] = counts
  t.equal(first + second, COUNT, 'one of the site has each')
  t.ok(Math.min(first, second) > COUNT / 4, `divided: ${first} and ${second}`)
  t.equal(alone, COUNT, 'the only edge of a site has all')
  t.equal(asked.size, COUNT)
  t.ok(
    [...asked.values()].every((count) => count === 2),
    'once for each site',
  )

  for (const i of [0, 4711, COUNT - 1]) {
    const { pathname } = new URL(urlAt(i))
    const headers = { Host: 'shows.example.com', 'X-Forwarded-For': '203.0.113.9' }
    const location = String((await get(cluster.steering + pathname, { headers })).headers.location)
    const edge = [...cluster.edges.values()].find(({ url }) => location.startsWith(url))
    if (edge === undefined) throw new Error(`sent to ${location}`)
    t.ok(cacheStatusOf(await ask(edge, pathname)).has('hit'), 'it lies where viewers are sent')
  }
})

t.test('a list that comes slowly, in pieces, as NDJSON', async (t) => {
  const pieces = [`{"url": "${SHOWS}/nd/1.ts"}\n{"ur`, `l":"${SHOWS}/nd/2.ts"}\n"${SHOWS}/nd`, `/3.ts"\n`]
  const list = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = pieces.shift()
      if (piece === undefined) controller.close()
      else controller.enqueue(Buffer.from(piece))
    },
  })
  const { status, text } = await postList(cluster.admin, list, '?sites=frankfurt', 'application/x-ndjson')
  t.equal(status, 200, text)
  const { id, urls, edges } = prefetchReplySchema.parse(JSON.parse(text))
  t.same([urls, edges], [3, 1])
  await untilDone(cluster.admin, id)
  for (const i of [1, 2, 3]) t.equal(asked.get(`/nd/${i}.ts`), 1)
})

t.test('tokens, tracking and the property prefix are as in requests', async (t) => {
  const { id } = await begin(cluster.admin, [
    'http://any.example.net/~shows/by/id.ts?utm_source=x&b=2&a=1',
    `${SHOWS}/by/../by/host.ts?CMCD=br%3D1`,
  ])
  await untilDone(cluster.admin, id)
  t.equal(asked.get('/by/id.ts?a=1&b=2'), 2)
  t.equal(asked.get('/by/host.ts'), 2)
})

const good = Array.from({ length: 300 }, (_none, i) => `${SHOWS}/never/${i}.ts`)
const REFUSED: Record<string, [lines: readonly string[], query: string, says: RegExp]> = {
  'a host of nobody': [
    [...good, 'http://other.example.com/x.ts', ...good],
    '',
    /^line 301: no property .* host "other/,
  ],
  'an id of nobody': [
    [`http://x/~nobody/x.ts`],
    '',
    /^line 1: no property of this cluster has the id "nobody"/,
  ],
  'no URL': [['', '# comment', 'film.mp4'], '', /^line 3: must be a whole URL/],
  'JSON of something else': [[`{"uri": "${SHOWS}/x.ts"}`], '', /^line 1: must be a URL, or JSON/],
  'a line without end': [[`${SHOWS}/${'x'.repeat(20_000)}`], '', /^line 1: is longer than 16384 bytes/],
  'a long path': [[`${SHOWS}/${'x'.repeat(5000)}`], '', /^line 1: its path is longer than 4096/],
  'an empty list': [['# nothing'], '', /the list holds no URL/],
  'an unknown site': [good, '?sites=guangzhou,paris', /sites: no site of this cluster has the id "paris"/],
  'a rate without unit': [good, '?rate=200', /rate: must be a rate such as 500Mbit/],
  'hours that are none': [good, '?window=25:00-26:00', /window: must be like 08:00-23:30/],
  'a zone that is none': [
    good,
    `?window=${encodeURIComponent('01:00-05:00 Mars/Base')}`,
    /window: must be a time zone/,
  ],
  'renditions that are none': [good, '?renditions=best', /renditions: must be all, highest, lowest/],
  'an unknown parameter': [good, '?site=guangzhou', /Unrecognized key/],
}
for (const [what, [lines, query, says]] of Object.entries(REFUSED)) {
  t.test(`refused: ${what}`, async (t) => {
    const before = await listOf(cluster.admin)
    const { status, text } = await postList(cluster.admin, lines.join('\n'), query)
    t.equal(status, 400)
    t.match(JSON.parse(text).message, says)
    t.equal((await listOf(cluster.admin)).length, before.length, 'nothing is begun')
  })
}

t.test('one URL too many', async (t) => {
  const list = Array.from({ length: 100_001 }, (_none, i) => `${SHOWS}/${i}`).join('\n')
  const { status, text } = await postList(cluster.admin, list)
  t.equal(status, 400)
  t.match(text, /line 100001: is one more than 100000 URLs/)
})

t.test('neither from a browser nor as another type', async (t) => {
  const answer = await fetch(`${cluster.admin}/api/v1/prefetches`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain', origin: 'http://evil.example' },
    body: good.join('\n'),
  })
  t.equal(answer.status, 403)
  t.equal((await postList(cluster.admin, good.join('\n'), '', 'application/json')).status, 415)
})

t.test('what is wrong with the command is a matter of usage', async (t) => {
  const url = `${SHOWS}/a.ts`
  for (const args of [
    [],
    [url, '--rate', '200'],
    [url, '--window', 'night'],
    [url, '--file', 'x'],
    ['--file', '/no/such'],
  ]) {
    const { code, stderr } = await prefetch(t, cluster, ...args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, /^error: /)
  }
  const refused = await prefetch(t, cluster, 'http://other.example.com/')
  t.equal(refused.code, 1)
  t.match(refused.stderr, /line 1: no property of this cluster has the host/)
  t.match((await prefetch(t, cluster, 'status', '000000000000')).stderr, /no prefetch of that id is kept/)
  t.equal((await prefetch(t, cluster, 'cancel', '000000000000')).code, 1)
})
