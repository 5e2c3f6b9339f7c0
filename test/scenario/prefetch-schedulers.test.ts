// Two schedulers on one Redis: what is asked of one is done by the edges of the other and shown by both; what a property
// keeps warm is issued by one of them.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { begin, listOf, postList, statusOf, untilDone, SHOWS } from '../kit/prefetching.ts'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { freePort } from '../kit/ports.ts'
import { ask } from '../kit/purging.ts'
import { startRedis } from '../kit/redis-server.ts'
import { clusterSettings, propertyOf, startJoinedEdge, startRolloutScheduler } from '../kit/rollout.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const FRESH = { 'Cache-Control': 'max-age=600', ETag: '"1"' }
const origin = await startOrigin(t, {
  '/a.ts': { body: 'a', fields: FRESH },
  '/warm.ts': { body: 'warm', fields: FRESH },
})
const redis = await startRedis(t)
const plain = await clusterSettings(origin.url, ['gz-1', 'gz-2'], { redis: redis.url })
const settings = {
  ...plain,
  properties: [propertyOf('shows', { warm: [{ paths: ['/warm.ts'], every: '1h' }] })],
}
const followed = await startRolloutScheduler(t, settings)
/** The same for the cluster, with a listener of its own. */
const control = { listen: `127.0.0.1:${await freePort()}` }
const other = await startRolloutScheduler(t, {
  ...settings,
  scheduler: Object.assign({}, plain['scheduler'], { control }),
})
const edges = await Promise.all(
  ['gz-1', 'gz-2'].map((id) => startJoinedEdge(t, id, settings, followed.control)),
)

t.test('asked of one, done by the edges of the other, shown by both', async (t) => {
  const { id } = await begin(other.admin, [`${SHOWS}/a.ts`])
  for (const { admin } of [other, followed]) {
    const status = await untilDone(admin, id)
    t.equal(status.edges.length, 1)
    t.match(status.edges[0]?.progress, { state: 'done', counts: { fetched: 1 } })
  }
  t.equal(origin.count('/a.ts'), 1)
  const owner = (await statusOf(other.admin, id)).edges[0]?.id
  const edge = edges.find((one) => one.id === owner)
  if (edge === undefined) throw new Error('nobody has it')
  t.ok(cacheStatusOf(await ask(edge, '/a.ts')).has('hit'))
  const cancel = await fetch(`${followed.admin}/api/v1/prefetches/${id}`, { method: 'DELETE' })
  t.equal(cancel.status, 200)
  t.equal((await statusOf(other.admin, id)).state, 'done', 'there was nothing left to cancel')
})

t.test('kept warm: one of them issues it', async (t) => {
  const first = await until('it is issued', async () =>
    (await listOf(followed.admin)).find((job) => job.warm === 'shows#0'),
  )
  await untilDone(other.admin, first.id)
  // Each has looked a few times by then.
  await delay(2500)
  const issued = (await listOf(other.admin)).filter((job) => job.warm !== null)
  t.same(
    issued.map(({ id }) => id),
    [first.id],
  )
  t.equal(origin.count('/warm.ts'), 1)
})

t.test('while Redis is away none is taken, and it says so', async (t) => {
  await redis.kill()
  const { status, text } = await postList(other.admin, `${SHOWS}/a.ts`)
  t.equal(status, 503)
  t.match(text, /Redis cannot be used/)
  t.equal((await fetch(`${other.admin}/api/v1/prefetches`)).status, 503)
  await redis.start()
  await until('one is taken again', async () => (await postList(other.admin, `${SHOWS}/a.ts`)).status === 200)
})
