// Going back: an older version becomes current again under a new number, with the files of networks that it had; and what
// the file on the disk holds by then comes back by nobody's accident.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { get } from '../kit/client.ts'
import { clusterSettings, propertyOf, startRolloutScheduler, statusAt } from '../kit/rollout.ts'
import { keyOf, reportOf } from '../kit/scheduler.ts'
import { until } from '../kit/until.ts'
import { decisionSchema } from '../../src/wire/decision.ts'
import { reportReplySchema } from '../../src/wire/report.ts'

const settings = await clusterSettings('http://127.0.0.1:9', ['gz-1'], { trustedProxies: ['127.0.0.0/8'] })
const scheduler = await startRolloutScheduler(t, settings)
const { admin, control, steering } = scheduler
const networks = path.join(path.dirname(scheduler.file), 'networks.txt')

/** As an edge that runs at once whatever it is told to. */
let configVersion = ''
const report = async () => {
  const headers = { authorization: `Bearer ${keyOf('gz-1')}`, 'content-type': 'application/json' }
  const body = JSON.stringify(reportOf('gz-1', { uptimeMs: 3_600_000, configVersion }))
  const answer = await fetch(`${control}/edge/v1/report`, { method: 'POST', headers, body })
  configVersion = reportReplySchema.parse(await answer.json()).configVersion
}
const beat = setInterval(() => void report().catch(() => {}), 100)
t.teardown(() => clearInterval(beat))
await until('clients are steered', async () => (await statusAt(steering, 'shows')) === 302)

/** What told where a client of this address is. */
async function locatedBy(client: string): Promise<string | undefined> {
  const query = new URLSearchParams({ url: 'http://shows.example.com/a.ts', client })
  const { text } = await get(`${admin}/api/v1/explain?${query.toString()}`)
  return decisionSchema.parse(JSON.parse(text)).location?.source
}

t.test('back to what was, with its files', async (t) => {
  await writeFile(networks, '192.0.2.0/24\n')
  await scheduler.change((file) => {
    file['sites'] = [{ id: 'guangzhou', coverage: { file: 'networks.txt' } }]
    file['properties'] = [propertyOf('shows'), propertyOf('films')]
  })
  t.equal(await scheduler.apply(), 'applied 2')
  t.equal(await locatedBy('192.0.2.1'), 'coverage')

  await writeFile(networks, '198.51.100.0/24\n')
  t.equal((await scheduler.status()).file.state, 'changed', 'a file that it names counts')
  t.equal(await scheduler.apply(), 'applied 3')
  t.not(await locatedBy('192.0.2.1'), 'coverage')
  await scheduler.change((file) => (file['properties'] = [propertyOf('shows')]))
  t.equal(await scheduler.apply(), 'applied 4')
  t.equal(await statusAt(steering, 'films'), 404)

  const { code, stdout } = await scheduler.config('rollback', '2')
  t.equal(code, 0)
  t.match(stdout, /^version 5 is current\n/)
  t.equal(await statusAt(steering, 'films'), 302)
  t.equal(await locatedBy('192.0.2.1'), 'coverage', 'the file on the disk is another by now')
  const { running } = await scheduler.status()
  t.match(running, { number: 5, rollbackTo: 2 })
  t.same(
    (await scheduler.history()).map(({ number, by, rollbackTo }) => [number, by, rollbackTo]),
    [
      [1, 'start', null],
      [2, 'api', null],
      [3, 'api', null],
      [4, 'api', null],
      [5, 'api', 2],
    ],
  )
  t.match((await scheduler.config('history')).stdout, /^ +5 .* back to 2 +current$/m)
})

t.test('a signal does not undo it, an operator can', async (t) => {
  const { file } = await scheduler.status()
  t.match(file, { state: 'version', version: 4 }, 'the file differs from what runs')
  t.match((await scheduler.config('status')).stdout, /differs from what runs; it is version 4$/m)
  scheduler.daemon.signal('SIGHUP')
  await until('the log says so', () => scheduler.daemon.stderr().includes('version 4 is what the file holds'))
  t.equal((await scheduler.status()).running?.number, 5)
  t.equal(await scheduler.apply(), 'applied 6')
  t.equal(await statusAt(steering, 'films'), 404)
})

t.test('what is not kept cannot come back', async (t) => {
  t.equal(await scheduler.rollback(77), 'version 77 is not kept')
  t.equal((await scheduler.status()).running?.number, 6)
})
