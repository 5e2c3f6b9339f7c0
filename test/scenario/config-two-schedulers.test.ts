// Two schedulers on one Redis: what one is told to run, both run, each with listeners of its own; one that starts with an
// old file runs what is current; and without Redis nothing is changed, and nothing lost.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import {
  clusterSettings,
  propertyOf,
  startJoinedEdge,
  startRolloutScheduler,
  startWithFile,
  statesOf,
  statusAt,
  watchAnswers,
} from '../kit/rollout.ts'
import type { Settings } from '../kit/rollout.ts'
import { freePort } from '../kit/ports.ts'
import { startRedis } from '../kit/redis-server.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

const origin = await startOrigin(t, { '/a.ts': () => ({ body: 'a' }) })
const redis = await startRedis(t)
const settings = await clusterSettings(origin.url, ['gz-1', 'gz-2'], { redis: redis.url })
const a = await startRolloutScheduler(t, settings)
/** The same for the cluster, with listeners of its own. */
const listeningAt = (listen: string): Settings => ({
  ...settings,
  scheduler: Object.assign({}, settings['scheduler'], { control: { listen } }),
})
const b = await startRolloutScheduler(t, listeningAt(`127.0.0.1:${await freePort()}`))
const thirdControl = `127.0.0.1:${await freePort()}`
const third = listeningAt(thirdControl)
const thirdFile = path.join(await tempDirectory(t), 'edgeward.yaml')
const both = [a, b]
// One reports to each.
await startJoinedEdge(t, 'gz-1', settings, a.control)
const ofB = await startJoinedEdge(t, 'gz-2', settings, b.control)

const films = (file: Settings) => (file['properties'] = [propertyOf('shows'), propertyOf('films')])

await until('both see both edges run it', async () => {
  const seen = await Promise.all(both.map(async (one) => Object.values(statesOf(await one.status()))))
  return seen.flat().every((state) => state === 'applied')
})
for (const { steering } of both)
  await until('clients are steered', async () => (await statusAt(steering, 'shows')) === 302)

t.test('asked of one, run by both and by the edges of both, and answered 302 all the while', async (t) => {
  t.equal((await b.status()).running?.number, 1, 'files that differ in listeners alone are one version')
  const viewers = both.map(({ steering }) => watchAnswers(t, steering))
  await a.change(films)
  const { code, stdout } = await a.config('apply')
  t.equal(stdout, 'version 2 is current\n2 edges: 2 run it\n')
  t.equal(code, 0)
  await b.untilRuns(2)
  t.equal(await statusAt(ofB.url, 'films'), 200, 'by an edge that reports to the other')
  for (const { steering } of both) t.equal(await statusAt(steering, 'films'), 302)
  for (const viewer of viewers) t.same(Object.keys(await viewer.end()), ['302'])
  t.same(await b.history(), await a.history())
  t.match((await b.status()).file, { state: 'version', version: 1 }, 'its own file is an old one by now')

  t.equal(await b.rollback(1), 'applied 3')
  await a.untilRuns(3)
  t.equal(await statusAt(a.steering, 'films'), 404)
})

t.test('both are told at once: one after the other, and both end alike', async (t) => {
  await a.change(films)
  await b.change((file) => (file['properties'] = [propertyOf('shows'), propertyOf('songs')]))
  await Promise.all([a.apply(), b.apply()])
  const last = await until('both run the last', async () => {
    const [one, other] = await Promise.all([a.status(), b.status()])
    return one.running?.number === other.running?.number ? (one.running ?? undefined) : undefined
  })
  t.equal(last.number, 5)
  t.same(await b.history(), await a.history())
  for (const name of ['films', 'songs']) {
    t.equal(await statusAt(a.steering, name), await statusAt(b.steering, name), name)
  }
})

t.test('a start with an old file runs what is current; with a changed one, all do', async (t) => {
  const { running } = await a.status()
  const number = running?.number ?? 0
  await writeFile(thirdFile, stringify(third))
  const late = await startWithFile(t, thirdFile)
  t.equal((await late.status()).running?.number, number)
  t.equal(late.control, `http://${thirdControl}`, 'with listeners of its own')
  const said = 'the file is an older configuration of the cluster: the current one is run'
  await until('its log says so', () => late.daemon.stderr().includes(said))
  t.match((await late.status()).file, { state: 'version', version: 3 })
  await late.daemon.stop()

  await writeFile(thirdFile, stringify({ ...third, properties: [propertyOf('shows'), propertyOf('news')] }))
  const newer = await startWithFile(t, thirdFile)
  t.match((await newer.status()).running, { number: number + 1, by: 'start' })
  for (const one of both) await one.untilRuns(number + 1)
  t.equal(await statusAt(a.steering, 'news'), 302)
  await newer.daemon.stop()
})

t.test(
  'without Redis nothing is changed; a scheduler that starts meanwhile finds its place later',
  async (t) => {
    const number = (await a.status()).running?.number ?? 0
    await redis.kill()
    await a.change((file) => (file['properties'] = [propertyOf('shows'), propertyOf('plays')]))
    const refused = await until('it is noticed', async () => {
      const one = await a.apply()
      return one.startsWith('nothing is changed') && one
    })
    t.match(refused, /the versions that schedulers share cannot be written \(.+\)/)
    t.equal((await a.status()).running?.number, number)
    t.equal(await statusAt(a.steering, 'plays'), 404)

    const blind = await startWithFile(t, thirdFile)
    t.equal((await blind.status()).running, null, 'it runs its file')
    await redis.start()
    await blind.untilRuns(number)
    await until('it steers', async () => (await statusAt(blind.steering, 'news')) === 302)
    // Each finds its own way back to Redis.
    const taken = await until('it is taken', async () => {
      const one = await a.apply()
      return !one.startsWith('nothing is changed') && one
    })
    t.equal(taken, `applied ${number + 1}`)
    for (const one of [b, blind]) await one.untilRuns(number + 1)
  },
)
