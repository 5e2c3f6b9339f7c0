// What operators say of an edge: it holds at once on every scheduler, and outlives schedulers and Redis alike.
import t from 'tap'
import { get } from '../kit/client.ts'
import { runCommand } from '../kit/process.ts'
import { startRedis } from '../kit/redis-server.ts'
import { schedulerConfig, startOperated, startViewers } from '../kit/redis-viewers.ts'
import type { OperatedScheduler } from '../kit/redis-viewers.ts'
import { startSchedulerProcess } from '../kit/scheduler-process.ts'
import { until } from '../kit/until.ts'

t.jobs = 2

/** Where so many assets are sent. */
async function edgesOf({ steering }: OperatedScheduler, assets: number): Promise<string[]> {
  const edges: string[] = []
  for (let i = 0; i < assets; i++) {
    const reply = await get(`${steering}/share-${i}/main.m3u8`, { headers: { host: 'shows.example.com' } })
    edges.push(new URL(reply.headers.location ?? 'none:').host.split('.', 1)[0] ?? '')
  }
  return edges
}

/** Of gz-2. */
const share = (edges: readonly string[]) => edges.filter((id) => id === 'gz-2').length / edges.length

const only = (edges: readonly string[], id: string) => edges.every((edge) => edge === id)

t.test(
  'drained on one scheduler, drained on all, through whatever happens',
  { buffered: true },
  async (t) => {
    const redis = await startRedis(t)
    const { a, b } = await startViewers(t, redis.url)
    t.same(new Set(await edgesOf(b, 40)), new Set(['gz-1', 'gz-2']))

    t.equal(await a.override('gz-1', { state: 'drain', reason: 'disk swap' }), 'store')
    for (const scheduler of [a, b]) await scheduler.untilState('gz-1', 'draining', 1000)
    t.ok(only(await edgesOf(a, 40), 'gz-2'), 'no new client from the scheduler that was told')
    t.ok(only(await edgesOf(b, 40), 'gz-2'), 'nor from the other')
    t.equal(await b.override('gz-2', { weight: 4 }), 'store')

    const client = redis.client(t)
    const isStored = async () => (await client.hlen('edgeward:{test}:overrides')) === 2
    await client.flushall()
    await until('a flushed Redis is told again', isStored)
    await redis.kill()
    await redis.start()
    await until('and one that comes back empty', isStored, 5000)
    const late = await startOperated(t, redis.url)
    t.match(
      await late.overrides(),
      { 'gz-1': { state: 'drain', reason: 'disk swap' }, 'gz-2': { state: null, weight: 4 } },
      'a new scheduler knows',
    )
    await late.untilState('gz-1', 'draining', 2000)

    t.equal(await late.override('gz-1', null), 'store')
    for (const scheduler of [a, b]) await scheduler.untilState('gz-1', 'up', 1000)
    t.same(new Set(await edgesOf(b, 40)), new Set(['gz-1', 'gz-2']))
    await late.untilState('gz-1', 'up', 1000)
    const shares = share(await edgesOf(late, 300))
    t.ok(
      Math.abs(shares - 4 / 5) < 0.08,
      `${shares} of four to one, by the weight that was said before it began`,
    )
  },
)

t.test(
  'said while Redis is away: here at once, everywhere when it is back',
  { buffered: true },
  async (t) => {
    const redis = await startRedis(t)
    const viewers = await startViewers(t, redis.url)
    const { a, b } = viewers
    t.equal(await b.override('gz-2', { weight: 4 }), 'store')
    await until('a has it', async () => (await a.overrides())['gz-2'] !== null)
    await redis.kill()
    await viewers.untilBoth('held')
    t.equal(await a.override('gz-1', { state: 'down' }), 'pending')
    await a.untilState('gz-1', 'down', 500)
    t.ok(only(await edgesOf(a, 40), 'gz-2'))
    t.equal(await a.override('gz-2', null), 'pending', 'a removal waits just so')
    t.equal((await b.overrides())['gz-2']?.weight, 4)

    await redis.start()
    await b.untilState('gz-1', 'down', 5000)
    await until('b has the removal', async () => (await b.overrides())['gz-2'] === null)
    t.ok(only(await edgesOf(b, 40), 'gz-2'))
  },
)

t.test('a weight multiplies the share', { buffered: true }, async (t) => {
  const scheduler = await startOperated(t, undefined)
  for (const id of ['gz-1', 'gz-2']) scheduler.keepReporting(id, { uptimeMs: 3_600_000 })
  for (const id of ['gz-1', 'gz-2']) await scheduler.untilState(id, 'up')
  const before = await edgesOf(scheduler, 300)
  t.ok(Math.abs(share(before) - 1 / 2) < 0.1, `${share(before)} of even weights`)
  t.equal(await scheduler.override('gz-2', { weight: 4 }), 'process')
  // While it is asked, the snapshot may become the one that has it: what counts is asked after that.
  await until(
    'the snapshot has it',
    async () => share(await edgesOf(scheduler, 60)) > share(before.slice(0, 60)),
  )
  const after = await edgesOf(scheduler, 300)
  t.ok(Math.abs(share(after) - 4 / 5) < 0.08, `${share(after)} of four to one`)
  t.notOk(
    before.some((id, i) => id === 'gz-2' && after[i] !== 'gz-2'),
    'nothing leaves the edge that gained',
  )
})

t.test('drain, status and undrain as an operator runs them', { buffered: true }, async (t) => {
  const config = schedulerConfig(undefined)
  const scheduler = await startSchedulerProcess(t, config)
  scheduler.keepReporting('gz-1', { connections: 12 })
  scheduler.keepReporting('gz-2')
  for (const id of ['gz-1', 'gz-2']) await scheduler.untilState(id, 'up')
  const admin = ['--admin', scheduler.admin]
  const run = (...args: string[]) => runCommand(t, [...args, ...admin])

  const drained = await run('drain', 'gz-1', '--reason', 'disk swap')
  t.match(drained, { code: 0, stderr: '' })
  t.equal(drained.stdout, 'gz-1: gets no new client, until this scheduler stops (it has no Redis)\n')
  await scheduler.untilState('gz-1', 'draining', 500)
  const { stdout, code } = await run('status')
  t.equal(code, 0)
  t.match(stdout, /^scheduler \S+: ready\nregistry memory: healthy\nEDGE /)
  t.match(stdout, /^gz-1 +guangzhou +draining +off +\d\.\d s +12 +drain since \S+Z: disk swap$/m)
  t.match(stdout, /^gz-2 +guangzhou +up +off +\d\.\d s +0$/m)
  const json = await run('status', '--json')
  t.match(JSON.parse(json.stdout), {
    registry: { kind: 'memory', state: 'healthy' },
    edges: [
      { id: 'gz-1', override: { state: 'drain' } },
      { id: 'gz-2', override: null },
    ],
  })

  t.match((await run('drain', '--down', 'gz-1')).stdout, /^gz-1: taken for down, /)
  await scheduler.untilState('gz-1', 'down', 500)
  t.match((await run('undrain', 'gz-1')).stdout, /^gz-1: counts by its own reports, /)
  await scheduler.untilState('gz-1', 'up', 500)

  const unknown = await run('drain', 'gz-9')
  t.equal(unknown.code, 1)
  t.match(unknown.stderr, /^edgeward: http\S+: no edge of this cluster has that id\n$/)
  const nobody = await runCommand(t, ['status', '--admin', 'http://127.0.0.1:9'])
  t.equal(nobody.code, 1)
  t.match(nobody.stderr, /^edgeward: http\S+ does not answer: .+\n$/)
})
