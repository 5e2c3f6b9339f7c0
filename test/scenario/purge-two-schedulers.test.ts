// Two schedulers on one Redis, and edges that follow one of them: a purge that is asked of the other reaches them, and
// it says when they have applied it. While Redis is dead no purge is taken, and nothing else suffers.
import t from 'tap'
import { freePort } from '../kit/ports.ts'
import { runCommand } from '../kit/process.ts'
import { applied, ask, outcomeOf, post, postPurge } from '../kit/purging.ts'
import { startRedis } from '../kit/redis-server.ts'
import { clusterSettings, startJoinedEdge, startRolloutScheduler } from '../kit/rollout.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'
import { purgeReplySchema } from '../../src/wire/purge.ts'

const URL_OF = 'http://shows.example.com'
const EDGES = ['gz-1', 'gz-2']
const FIELDS = { 'Cache-Control': 'public, max-age=600', ETag: '"1"' }

const origin = await startOrigin(t, {
  '/a.ts': () => ({ body: 'a', fields: FIELDS }),
  '/b.ts': () => ({ body: 'b', fields: FIELDS }),
})
const redis = await startRedis(t)
const settings = await clusterSettings(origin.url, EDGES, { redis: redis.url })
const followed = await startRolloutScheduler(t, settings)
/** The same for the cluster, with a listener of its own. */
const control = { listen: `127.0.0.1:${await freePort()}` }
const asked = await startRolloutScheduler(t, {
  ...settings,
  scheduler: Object.assign({}, settings['scheduler'], { control }),
})
const edges = await Promise.all(EDGES.map((id) => startJoinedEdge(t, id, settings, followed.control)))

async function fill(): Promise<void> {
  for (const edge of edges) await Promise.all([ask(edge, '/a.ts'), ask(edge, '/b.ts')])
}

t.test('asked of one, applied by the edges of the other, shown by both', async (t) => {
  await fill()
  t.same(await Promise.all(edges.map(async (edge) => outcomeOf(await ask(edge, '/a.ts')))), ['hit', 'hit'])
  const id = await postPurge(asked.admin, { url: `${URL_OF}/a.ts` })
  for (const admin of [asked.admin, followed.admin]) {
    const status = await applied(admin, id, EDGES)
    t.equal(status.id, id)
    for (const { tookMs } of status.edges) t.ok(tookMs !== null && tookMs < 1000, `after ${tookMs} ms`)
  }
  for (const edge of edges) {
    t.equal(outcomeOf(await ask(edge, '/a.ts')), 'uri-miss')
    t.equal(outcomeOf(await ask(edge, '/b.ts')), 'hit', 'nothing else is purged')
  }
  const { code, stdout } = await runCommand(t, ['purge', `${URL_OF}/a.ts`, '--admin', asked.admin])
  t.equal(code, 0)
  t.match(stdout, /applied at 2 of 2 edges/)
})

t.test('Redis is killed while purges come', async (t) => {
  await fill()
  const taken: string[] = []
  const refused = await until('one is refused', async () => {
    const { status, text } = await post(asked.admin, { url: `${URL_OF}/a.ts` })
    if (status === 503) return text
    taken.push(purgeReplySchema.parse(JSON.parse(text)).id)
    if (taken.length === 5) void redis.kill()
    return undefined
  })
  t.match(refused, /the purge was not taken/)
  const command = await runCommand(t, ['purge', `${URL_OF}/b.ts`, '--admin', asked.admin])
  t.equal(command.code, 1)
  t.match(command.stderr, /the purge was not taken; ask for it again \(Redis cannot be used: /)
  for (const edge of edges) t.equal(outcomeOf(await ask(edge, '/b.ts')), 'hit', 'edges serve on')

  await fill()
  await redis.start()
  const id = await until('purges are taken again', () =>
    postPurge(asked.admin, { url: `${URL_OF}/a.ts` }).catch(() => undefined),
  )
  for (const one of [...taken, id]) await applied(asked.admin, one, EDGES)
  for (const edge of edges) {
    t.equal(outcomeOf(await ask(edge, '/a.ts')), 'uri-miss', 'applied')
    t.equal(outcomeOf(await ask(edge, '/b.ts')), 'hit', 'what was not purged is not asked for again')
  }
})
