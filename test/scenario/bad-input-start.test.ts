// Starts that cannot work end at once with one clear line; a key that is not known leaves the edge outside.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { get } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import { prepareEdge, startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { DaemonFailed } from '../kit/process.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

/** How a start ended that must fail. */
async function failure(edge: TestEdge): Promise<{ code: number | null; stderr: string }> {
  try {
    await edge.start()
  } catch (error) {
    if (error instanceof DaemonFailed) return { code: error.status.code, stderr: error.stderr }
    throw error
  }
  throw new Error('it started')
}

for (const [what, below] of [['a file', ''] as const, ['below a file', '/deeper'] as const]) {
  t.test(`a cache directory that is ${what}`, async (t) => {
    const edge = await prepareEdge(t, { origin: 'http://127.0.0.1:9' })
    await writeFile(path.join(edge.directory, 'cache'), 'not a directory')
    if (below !== '') {
      const directories = [{ path: `./cache${below}`, size: '1GiB' }]
      const other = await prepareEdge(t, { origin: 'http://127.0.0.1:9', config: { cache: { directories } } })
      await writeFile(path.join(other.directory, 'cache'), 'not a directory')
      await expectClearFailure(t, other)
    } else {
      await expectClearFailure(t, edge)
    }
  })
}

async function expectClearFailure(t: Test, edge: TestEdge): Promise<void> {
  const { code, stderr } = await failure(edge)
  t.ok(code === 1 || code === 2, `exit code ${code}`)
  t.match(stderr, /cache/, 'names the directory')
  t.notMatch(stderr, /^ {4}at /m, 'without a stack')
}

t.test('a port that is taken is named, with what moves it', async (t) => {
  const origin = await startOrigin(t, {})
  const first = await startEdge(t, { origin: origin.url })
  const port = new URL(first.url).port
  const second = await prepareEdge(t, { origin: origin.url, config: { listen: `127.0.0.1:${port}` } })
  const { code, stderr } = await failure(second)
  t.equal(code, 1)
  t.match(stderr, new RegExp(`port ${port} .*\\blisten\\b`))
  t.notMatch(stderr, /^ {4}at /m)
})

t.test('a configuration that is wrong is refused with the path of every wrong key', async (t) => {
  const config = { listen: 'nowhere', cahce: {}, properties: [{ id: 'all', origins: [{ id: 'gone' }] }] }
  const { code, stderr } = await failure(await prepareEdge(t, { origin: 'http://127.0.0.1:9', config }))
  t.equal(code, 2)
  for (const key of ['listen', 'cahce', 'properties[0].origins[0].id'])
    t.ok(stderr.includes(key), `${key} in ${stderr}`)
})

t.test('an edge with a wrong key gets no clients, and says why', { timeout: 60_000 }, async (t) => {
  const origin = await startOrigin(t, { '/x': { body: 'x', fields: { 'Cache-Control': 'max-age=600' } } })
  const cluster = await startCluster(t, {
    origin: origin.url,
    sites: { north: { edges: ['n-1', 'n-2'] } },
    wrongKeys: ['n-2'],
  })
  const stranger = cluster.edge('n-2')
  await until('the edge logs that its key is refused', () =>
    stranger.log().some((line) => (line.level ?? 0) >= 40 && /refuses .*\bkey\b/.test(JSON.stringify(line))),
  )
  for (let i = 0; i < 50; i++) {
    const reply = await get(`${cluster.steering}/~shows/${i}/x`)
    t.ok(reply.status === 302 && String(reply.headers.location).startsWith(cluster.edge('n-1').url))
  }
  t.not((await cluster.states()).get('n-2'), 'up')
  t.notMatch(stranger.process.stderr(), /ewk_/, 'the key is in no log')
  t.notMatch(cluster.scheduler.stderr(), /ewk_/)
})
