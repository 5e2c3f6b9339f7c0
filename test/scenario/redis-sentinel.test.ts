// Redis with a replica and a sentinel, under viewers: the primary is killed, or stands still, and both schedulers find
// the one that takes its place; what operators said is still there.
import t from 'tap'
import { startSentinelSet } from '../kit/redis-sentinel.ts'
import { pass, startViewers, unharmed } from '../kit/redis-viewers.ts'
import { until } from '../kit/until.ts'

t.jobs = 2

for (const how of ['killed', 'stalled'] as const) {
  t.test(`the primary is ${how}`, { buffered: true }, async (t) => {
    const redis = await startSentinelSet(t)
    const viewers = await startViewers(t, redis.settings)
    await viewers.override('gz-2', { weight: 2 })
    const ofReplica = redis.replica.client(t)
    const stored = async () => (await ofReplica.hlen('edgeward:{test}:overrides')) === 1
    await until('the replica has the override', stored)
    const watched = viewers.watch()

    if (how === 'killed') await redis.primary.kill()
    else redis.primary.pause()
    await viewers.untilBoth('held')
    await until('the replica is promoted', async () => (await redis.primaryPort()) === redis.replica.port)
    await viewers.untilBoth('healthy')
    const written = async () =>
      (await ofReplica.exists('edgeward:{test}:edge:gz-1', 'edgeward:{test}:edge:gz-2')) === 2
    await until('both schedulers write to it', written)
    // What only was held would show as silent by now.
    await pass(3500)
    unharmed(t, watched, 200)
    t.equal((await viewers.b.overrides())['gz-2']?.weight, 2)

    // Back, and turned into a replica: nobody may write to it again.
    if (how === 'killed') await redis.primary.start()
    else redis.primary.resume()
    await pass(1000)
    unharmed(t, watched, 210)
    await viewers.untilBoth('healthy')
  })
}
