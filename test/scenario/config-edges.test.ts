// Edges that come and go with the configuration, by SIGHUP: who is taken out is refused from then on, who is new is heard
// at once, and those that stay are believed as they were.
import t from 'tap'
import { fetch } from 'undici'
import { z } from 'zod'
import { edgeEntry, keyOf, reportOf } from '../kit/scheduler.ts'
import { clusterSettings, startRolloutScheduler, watchAnswers } from '../kit/rollout.ts'
import { until } from '../kit/until.ts'

const settings = await clusterSettings('http://127.0.0.1:9', ['gz-1', 'gz-2', 'gz-3'])
const scheduler = await startRolloutScheduler(t, settings)
const { admin, control, steering } = scheduler

const edgesSchema = z.object({
  edges: z.array(
    z.object({
      id: z.string(),
      state: z.string(),
      report: z.object({ instance: z.string() }).nullable(),
      override: z.object({ weight: z.number() }).nullable(),
    }),
  ),
})

async function entries() {
  return edgesSchema.parse(await (await fetch(`${admin}/api/v1/edges`)).json()).edges
}

async function report(id: string, instance = id, uptimeMs = 3_600_000): Promise<number> {
  const answer = await fetch(`${control}/edge/v1/report`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keyOf(id)}`, 'content-type': 'application/json' },
    body: JSON.stringify(reportOf(id, { instance, uptimeMs })),
  })
  await answer.body?.cancel()
  return answer.status
}

t.test('one edge goes, one comes, a flapping one stays damped, and nobody hears of it', async (t) => {
  const beating = ['gz-1', 'gz-2']
  const beat = setInterval(() => beating.forEach((id) => void report(id).catch(() => {})), 500)
  t.teardown(() => clearInterval(beat))
  await until('gz-2 is up', async () => (await entries())[1]?.state === 'up')
  // Restarts again and again: suspect for minutes.
  for (let life = 1; life <= 5; life++) {
    await report('gz-3', `life-${life}`, 10_000_000 - life * 60_000)
    await until('it was heard', async () => (await entries())[2]?.report?.instance === `life-${life}`)
  }
  const last = setInterval(() => void report('gz-3', 'life-5', 9_700_000).catch(() => {}), 500)
  t.teardown(() => clearInterval(last))
  await until('gz-3 is damped', async () => (await entries())[2]?.state === 'suspect')
  await fetch(`${admin}/api/v1/edges/gz-2/override`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ weight: 0.5 }),
  })
  const viewer = watchAnswers(t, steering)
  await scheduler.change((file) => {
    const names = ['gz-0', 'gz-3', 'gz-2']
    file['edges'] = names.map((id) => edgeEntry(id, 'guangzhou'))
  })
  scheduler.daemon.signal('SIGHUP')
  await scheduler.untilRuns(2)
  t.same(
    (await entries()).map(({ id, state }) => [id, state]),
    [
      ['gz-0', 'down'],
      ['gz-3', 'suspect'],
      ['gz-2', 'up'],
    ],
    'by name, not by place',
  )
  t.equal((await entries())[2]?.override?.weight, 0.5, 'what an operator said holds')
  t.equal(await report('gz-1'), 401, 'who was taken out is refused')
  t.equal(await report('gz-0'), 200)
  const heard = await until('who is new is heard', async () => {
    const state = (await entries())[0]?.state
    return state !== 'down' && state
  })
  t.equal(heard, 'up', 'at once, as nobody who comes back is')
  const seen = await viewer.end()
  t.same(Object.keys(seen), ['302'], `every one of ${seen['302'] ?? 0} answers is a redirect`)
})
