// A changed edgeward.yaml, applied while viewers ask and edges serve: all of it is taken over at once, by the scheduler and
// by its edges, and nobody is answered otherwise meanwhile. What cannot be used changes nothing.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { metricOf } from '../kit/metric.ts'
import {
  clusterSettings,
  propertyOf,
  startJoinedEdge,
  startRolloutScheduler,
  statesOf,
  statusAt,
  watchAnswers,
} from '../kit/rollout.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const origin = await startOrigin(t, { '/a.ts': () => ({ body: 'a' }) })
const settings = await clusterSettings(origin.url, ['gz-1', 'gz-2'])
const scheduler = await startRolloutScheduler(t, settings)
const { admin, steering } = scheduler
const edges = await Promise.all(
  ['gz-1', 'gz-2'].map((id) => startJoinedEdge(t, id, settings, scheduler.control)),
)
const untilApplied = () =>
  until('all edges run it', async () => {
    const states = statesOf(await scheduler.status())
    return states['gz-1'] === 'applied' && states['gz-2'] === 'applied'
  })
await untilApplied()
await until('clients are steered', async () => (await statusAt(steering, 'shows')) === 302)

/** What the first edge would start with. */
const saved = () => readFile(path.join(edges[0]?.directory ?? '', 'cache', 'edge-config.json'), 'utf8')

t.test('a property more: steered and served within moments, with no other answer meanwhile', async (t) => {
  const viewer = watchAnswers(t, steering)
  await scheduler.change((file) => (file['properties'] = [propertyOf('shows'), propertyOf('films')]))
  t.equal((await scheduler.status()).file.state, 'changed')
  const { code, stdout } = await scheduler.config('apply')
  t.equal(stdout, 'version 2 is current\n2 edges: 2 run it\n')
  t.equal(code, 0)
  t.equal(await statusAt(steering, 'films'), 302)
  for (const { url } of edges) t.equal(await statusAt(url, 'films'), 200, 'edges have it')
  t.same(Object.keys(await viewer.end()), ['302'], 'every answer is a redirect')

  const { running, file, edges: told } = await scheduler.status()
  t.match(running, { number: 2, by: 'api', rollbackTo: null })
  t.equal(file.state, 'same')
  for (const { version, acknowledgedAtMs } of told) {
    t.equal(version, 2)
    t.ok((acknowledgedAtMs ?? 0) >= (running?.atMs ?? Infinity), 'with the time of its word')
  }
  t.equal(await metricOf(admin, 'edgeward_scheduler_config_version'), 2)
  t.equal(await metricOf(admin, 'edgeward_scheduler_config_edges{state="applied"}'), 2)
})

t.test('the same file again is no version, whatever its comments', async (t) => {
  await scheduler.change(() => {})
  t.equal(await scheduler.apply(), 'unchanged 2')
  t.equal((await scheduler.history()).length, 2)
})

t.test('a secret in a file of its own is read again, and reaches the edges', async (t) => {
  const key = path.join(path.dirname(scheduler.file), 'key.txt')
  await writeFile(key, 'the-first-key-that-is-long-enough')
  const tokens = { scheme: 'type-a', keys: ['${file:key.txt}'] }
  await scheduler.change((file) => {
    file['properties'] = [propertyOf('shows'), propertyOf('films', { access: { tokens } })]
  })
  t.equal(await scheduler.apply(), 'applied 3')
  await until('edges have it', async () => (await saved()).includes('the-first-key'))
  await writeFile(key, 'the-second-key-that-is-long-enough')
  t.equal(await scheduler.apply(), 'reread 3')
  await until('edges have it', async () => (await saved()).includes('the-second-key'))
  await scheduler.change((file) => (file['properties'] = [propertyOf('shows'), propertyOf('films')]))
  t.equal(await scheduler.apply(), 'applied 4')
})

t.test('a file that cannot be used: every problem is named, and nothing changes', async (t) => {
  await untilApplied()
  const before = await scheduler.status()
  await scheduler.change((file) => {
    file['properties'] = [propertyOf('shows', { hosts: 7 }), propertyOf('films', { fast: true })]
  })
  const { code, stderr } = await scheduler.config('apply')
  t.equal(code, 2)
  t.match(stderr, /^edgeward: nothing is changed:\n/)
  t.match(stderr, /edgeward\.yaml:\d+: properties\[0\]\.hosts: /)
  t.match(stderr, /edgeward\.yaml:\d+: properties\[1\]\.fast: /)
  const { file, ...rest } = await scheduler.status()
  t.equal(file.state, 'unreadable')
  t.match(file.problem, /properties\[0\]\.hosts/)
  t.same({ ...rest, file: before.file }, before)
  t.equal(await statusAt(steering, 'films'), 302)

  scheduler.daemon.signal('SIGHUP')
  await until('the log says so', () => scheduler.daemon.stderr().includes('properties[1].fast'))
  t.equal((await scheduler.status()).running?.number, 4)
  const attempts = 'edgeward_scheduler_config_applies_total{outcome="invalid"}'
  await until('both attempts are counted', async () => (await metricOf(admin, attempts)) === 2)
})

t.test('keys that a running scheduler cannot change are refused by name', async (t) => {
  await scheduler.change((file) => {
    Object.assign(file, settings, { cluster: 'other' })
    file['scheduler'] = Object.assign({}, file['scheduler'], {
      drain: '3s',
      control: { listen: '127.0.0.1:1' },
    })
  })
  t.equal(await scheduler.apply(), 'nothing is changed: needs a restart: cluster, scheduler.control')
  t.equal((await scheduler.status()).running?.number, 4)
})

t.test('only this machine may ask, and no page in a browser', async (t) => {
  const headers = { origin: 'http://127.0.0.1:8082' }
  const answer = await fetch(`${admin}/api/v1/config/apply`, { method: 'POST', headers })
  t.equal(answer.status, 403)
})
