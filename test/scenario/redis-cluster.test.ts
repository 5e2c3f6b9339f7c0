// A Redis Cluster under viewers: the node that holds the keys stands still, is lost with its data and comes back.
import t from 'tap'
import { startRedisCluster } from '../kit/redis-cluster.ts'
import { pass, startViewers, unharmed } from '../kit/redis-viewers.ts'

t.test('the node of the keys stalls, dies, and comes back empty', async (t) => {
  const redis = await startRedisCluster(t)
  const viewers = await startViewers(t, redis.settings)
  const holder = await redis.holderOf('test')
  await viewers.override('gz-2', { weight: 2 })
  const watched = viewers.watch()

  holder.pause()
  await viewers.untilBoth('held')
  await pass(2000)
  holder.resume()
  await viewers.untilBoth('healthy')

  await holder.kill()
  await viewers.untilBoth('held')
  await pass(3000)
  await holder.start()
  await viewers.untilBoth('healthy')
  await pass(2500)
  unharmed(t, watched, 250)
  const client = holder.client(t)
  t.equal(await client.hlen('edgeward:{test}:overrides'), 1, 'what operators said is written again')
  t.equal(await client.exists('edgeward:{test}:edge:gz-1', 'edgeward:{test}:edge:gz-2'), 2)
})
