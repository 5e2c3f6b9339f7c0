// Origins judged by real probes of real servers and by edges' reports: down, held against the panic rule, back.
import t from 'tap'
import { OriginJudge } from '../../scheduler/origin/origin-judge.ts'
import { isProbed } from '../../scheduler/origin/origin-prober.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { backgroundRunner } from '../../src/background.ts'
import { systemClock } from '../../src/clock.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { recordingLog } from '../kit/recording-log.ts'
import { startPlainOrigin } from '../kit/plain-origin.ts'
import { edgeEntry, reportOf, schedulerSettings } from '../kit/scheduler.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

function report(at: string, origins: EdgeReport['origins']) {
  return { report: reportOf(at, { origins }), receivedAtMs: systemClock.monotonic(), heldAtMs: null }
}

const HEALTH = { path: '/healthz', every: '50ms', timeout: '2s', rise: 2 }

function judgeOf(t: TestScope, origins: readonly object[], before?: OriginJudge) {
  const settings = schedulerSettings({
    origins: [...origins, { id: 'studio', url: 'http://127.0.0.1:9' }],
    edges: [edgeEntry('a-1', 'guangzhou'), edgeEntry('a-2', 'guangzhou'), edgeEntry('b-1', 'frankfurt')],
  })
  const { log, lines } = recordingLog()
  const { edges } = buildTopology(settings)
  const deps = {
    clock: systemClock,
    log,
    background: backgroundRunner(log),
    onProbe: () => {},
    onVerdict: () => {},
  }
  const judge = new OriginJudge(settings.origins, edges, deps, before)
  t.teardown(() => judge.close())
  const standing = (id: string) => judge.standings().find(({ origin }) => origin.id === id)
  const untilState = (id: string, state: string) =>
    until(`${id} is ${state}`, () => standing(id)?.verdict.state === state)
  return { judge, standing, untilState, lines, origins: settings.origins }
}

t.test(
  'an origin is asked as configured, and down when it refuses, answers wrongly, or comes back',
  async (t) => {
    const origin = await startPlainOrigin(t)
    const url = `http://127.0.0.1:${origin.port}/media`
    const entry = { id: 'films', url, host: 'films.example.com', headers: { 'X-Key': 'k' }, health: HEALTH }
    const { judge, untilState, standing, lines } = judgeOf(t, [entry])
    await until('it is probed', () => standing('films')?.probes.get(4)?.finding === 'up')
    t.match(origin.first, { target: '/healthz', headers: { host: 'films.example.com', 'x-key': 'k' } })
    t.same(judge.guidance, {}, 'up: nothing to be told')

    await origin.stop()
    await untilState('films', 'down')
    t.match(standing('films'), { verdict: { by: 'probes' }, share: 0 })
    t.match(standing('films')?.probes.get(4), { finding: 'down', last: 'refused' })
    t.same(
      judge.guidance,
      { films: { state: 'down', share: 0, probed: false } },
      'refused to this machine alone',
    )
    t.match(lines.at(-1), { level: 40, origin: 'films', by: 'probes' })

    origin.status = 503
    await origin.start()
    await until('it says so itself', () => judge.guidance['films']?.probed === true)
    t.match(standing('films')?.probes.get(4), { last: 'status', detail: 'the answer is 503' })

    origin.status = 200
    await untilState('films', 'returning')
    t.match(judge.guidance, { films: { state: 'returning', share: 0.05 } })
  },
)

t.test('what most probes lose at once is held, until edges say the same', async (t) => {
  const servers = await Promise.all([1, 2, 3].map(() => startPlainOrigin(t)))
  const entries = servers.map(({ port }, i) => ({
    id: `o${i}`,
    url: `http://127.0.0.1:${port}`,
    health: HEALTH,
  }))
  const { judge, standing, lines, untilState } = judgeOf(t, entries)
  await until('all are found good', () =>
    entries.every(({ id }) => standing(id)?.probes.get(4)?.finding === 'up'),
  )
  // Within one interval of each other: the first may be believed before the second is lost.
  await Promise.all(servers.map((server) => server.stop()))
  await until('it is said', () => lines.some((line) => JSON.stringify(line).includes('held')))
  await until('all are lost', () =>
    entries.every(({ id }) => standing(id)?.probes.get(4)?.finding === 'down'),
  )
  t.ok(judge.held >= 2, `${judge.held} held`)

  t.same(
    entries.map(({ id }) => standing(id)?.verdict.state),
    ['up', 'up', 'up'],
    'also the first, which was believed for a moment',
  )
  const heldUp = entries.find(({ id }) => standing(id)?.isHeld === true)?.id ?? ''
  judge.hear(['a-1', 'a-2', 'b-1'].map((at) => report(at, [{ id: heldUp, ok: 0, failed: 5 }])))
  await untilState(heldUp, 'down')
  await Promise.all(servers.map((server) => server.start()))
  await until('nothing is held', () => judge.held === 0)
  t.ok(lines.some((line) => JSON.stringify(line).includes('no verdict is held')))
})

t.test('edges alone decide of one that is not probed', async (t) => {
  const { judge, standing } = judgeOf(t, [])
  const news: boolean[] = []
  judge.onChange = (isNews) => news.push(isNews)
  const failed = [{ id: 'studio', ok: 3, failed: 5, open: true as const }]
  judge.hear([report('a-1', failed), report('a-2', []), undefined])
  t.equal(standing('studio')?.verdict.state, 'up', 'one edge that is cut off')
  const heard = [
    report('a-1', failed),
    report('a-2', failed),
    report('b-1', [{ id: 'studio', ok: 9, failed: 0 }]),
  ]
  judge.hear(heard)
  t.equal(standing('studio')?.verdict.state, 'down', 'two of three')
  t.match(judge.guidance, { studio: { state: 'down', probed: false } }, 'edges try it themselves')
  t.same(news, [true])
})

t.test('what is known of an origin goes on under the next configuration', async (t) => {
  const origin = await startPlainOrigin(t)
  const entry = { id: 'films', url: `http://127.0.0.1:${origin.port}`, health: HEALTH }
  const first = judgeOf(t, [entry])
  t.ok(first.origins.some(isProbed))
  await origin.stop()
  await first.untilState('films', 'down')
  const second = judgeOf(t, [{ id: 'new', url: 'http://127.0.0.1:9' }, entry], first.judge)
  t.match(second.standing('films'), { verdict: { state: 'down', by: 'probes' } })
  t.match(second.standing('films')?.probes.get(4), { finding: 'down' })
  t.match(second.judge.guidance, { films: { state: 'down' } })
})
