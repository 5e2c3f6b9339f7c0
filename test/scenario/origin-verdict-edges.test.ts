// An origin that no probe watches: what edges see of it decides, also when it is back.
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { startCluster } from '../kit/cluster.ts'
import { startTraffic, untilToldDown, untilVerdict, verdictOn } from '../kit/origin-verdicts.ts'
import { startPlainOrigin } from '../kit/plain-origin.ts'
import { until } from '../kit/until.ts'

t.test('without probes, what edges see decides', async (t) => {
  const [first, second] = [await startPlainOrigin(t), await startPlainOrigin(t)]
  const cluster = await startCluster(t, {
    origin: first.url,
    origins: [{ id: 'other', url: second.url }],
    sites: { north: { edges: ['n-1', 'n-2'] }, south: { edges: ['s-1'] } },
    property: { origins: [{ id: 'studio' }, { id: 'other' }] },
  })
  startTraffic(t, cluster)
  await until('the first is asked', () => first.count > 50)
  first.status = 503
  await untilVerdict(cluster, 'studio', 'down')
  t.match(await verdictOn(cluster, 'studio'), { by: 'edges' })
  await untilToldDown(cluster, 'studio')
  const asked = first.count
  await wait(2000)
  t.ok(first.count - asked < 20, `${first.count - asked} requests in two seconds`)
  first.status = 200
  await untilVerdict(cluster, 'studio', 'up')
  await until('it is asked as before', () => first.count > asked + 50)
})
