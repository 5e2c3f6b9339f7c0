// Redis is slow, stands still, is flushed, killed, and comes back empty, while viewers are steered by two schedulers that each
// hear one edge alone: no answer changes.
import t from 'tap'
import { get } from '../kit/client.ts'
import { startRedis } from '../kit/redis-server.ts'
import { pass, registryOf, startViewers, unharmed } from '../kit/redis-viewers.ts'

const HELD = /^edgeward_scheduler_registry_held 1$/m

t.jobs = 3

t.test('stalled longer than a report lives, then flushed', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const viewers = await startViewers(t, redis.url)
  const watched = viewers.watch()
  redis.pause()
  t.teardown(() => redis.resume())
  await viewers.untilBoth('held')
  await pass(5500)
  redis.resume()
  await viewers.untilBoth('healthy')
  await pass(1500)
  unharmed(t, watched, 250)

  const flushed = viewers.watch()
  await redis.client(t).flushall()
  await pass(2500)
  unharmed(t, flushed, 80)
})

t.test('killed, and back empty', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const viewers = await startViewers(t, redis.url)
  const watched = viewers.watch()
  await redis.kill()
  await viewers.untilBoth('held')
  t.match(await registryOf(viewers.b), { state: 'held', reason: /ECONNREFUSED|lost/ })
  t.match((await get(`${viewers.b.admin}/metrics`)).text, HELD, 'metrics say so')
  const ready = await get(`${viewers.b.admin}/readyz`)
  t.same([ready.status, JSON.parse(ready.text)], [200, { ready: true, registry: 'held' }])
  await pass(5500)
  await redis.start()
  await viewers.untilBoth('healthy')
  // As long as it takes for what only was held to show as what it is.
  await pass(4000)
  unharmed(t, watched, 250)
  t.notMatch((await get(`${viewers.b.admin}/metrics`)).text, HELD)
})

t.test('slow, at times beyond the time that is waited', { buffered: true }, async (t) => {
  const redis = await startRedis(t)
  const viewers = await startViewers(t, redis.url)
  const watched = viewers.watch()
  const client = redis.client(t)
  for (const pauseMs of [400, 700, 900, 900, 1300, 700, 900, 1800, 900]) {
    await client.call('client', 'pause', `${pauseMs}`, 'ALL')
    await pass(pauseMs + 150)
  }
  await viewers.untilBoth('healthy')
  unharmed(t, watched, 250)
})
