// Following the events of a cluster: a start waits for what was missed, and no longer than it may; afterwards every
// batch is applied before the next is asked for, and what fails is tried again, not at once.
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { EventFollower } from '../../edge/events/event-follower.ts'
import type { EventListeners } from '../../edge/events/event-follower.ts'
import { EVENTS_RETRY_MS, PEER_EVENTS_WAIT_MS } from '../../edge/limits.ts'
import { backgroundRunner } from '../../src/background.ts'
import { systemClock } from '../../src/clock.ts'
import type { ClusterEvent, EventsReply } from '../../src/wire/events.ts'
import { recordingLog } from '../kit/recording-log.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

type Answer = EventsReply | Error | 'held'

function reply(ids: readonly string[], last: string, gap = false): EventsReply {
  const purge = { property: null, scope: 'all', value: '', soft: true } as const
  return { events: ids.map((id): ClusterEvent => ({ kind: 'purge', id, atMs: 1, purge })), last, gap }
}

/** A follower of a scheduler that answers one by one as it is told, and then holds every question. */
function follow(t: TestScope, answers: readonly Answer[], last = '', listeners: EventListeners = {}) {
  const asked: { after: string; hold: boolean }[] = []
  const taken: { ids: string[]; last: string; gap: boolean }[] = []
  const { log, lines } = recordingLog()
  const source = {
    async events(after: string, hold: boolean, signal: AbortSignal): Promise<EventsReply> {
      const answer = answers[asked.length] ?? 'held'
      asked.push({ after, hold })
      // As any answer over a network: timers run before it.
      await nextTurn()
      if (answer instanceof Error) throw answer
      if (answer !== 'held') return answer
      await delay(60_000, undefined, { signal })
      return reply([], after)
    },
  }
  const taker = {
    last,
    applied: last,
    /** Set: applying fails so often. */
    failures: 0,
    async take(events: readonly ClusterEvent[], upTo: string, gap: boolean): Promise<void> {
      if (taker.failures-- > 0) throw new Error('no space left')
      taken.push({ ids: events.map(({ id }) => id), last: upTo, gap })
      taker.last = upTo
      taker.applied = upTo
    },
  }
  const follower = new EventFollower(source, taker, log, listeners)
  t.teardown(() => follower.close())
  return { follower, asked, taken, taker, lines, start: () => follower.start(backgroundRunner(log)) }
}

t.test('a start takes all that it missed, batch after batch', async (t) => {
  const { follower, asked, taken } = follow(
    t,
    [reply(['5-0', '6-0'], '6-0'), reply(['7-0'], '7-0'), reply([], '7-0')],
    '4-0',
  )
  await follower.catchUp(5000)
  t.same(
    asked.map(({ after, hold }) => [after, hold]),
    [
      ['4-0', false],
      ['6-0', false],
      ['7-0', false],
    ],
  )
  t.same(taken, [
    { ids: ['5-0', '6-0'], last: '6-0', gap: false },
    { ids: ['7-0'], last: '7-0', gap: false },
  ])
})

t.test('a start that hears for the first time, or of a gap, asks once', async (t) => {
  for (const [last, answer] of [
    ['', reply([], '9-0')],
    ['4-0', reply([], '9-0', true)],
  ] as const) {
    const { follower, asked, taken } = follow(t, [answer], last)
    await follower.catchUp(5000)
    t.equal(asked.length, 1)
    t.same(taken, [{ ids: [], last: '9-0', gap: last !== '' }])
  }
})

t.test(
  'a start waits no longer than it may, for a scheduler that says nothing, and one that says no end',
  async (t) => {
    const silent = follow(t, ['held'], '4-0')
    const endless = follow(
      t,
      Array.from({ length: 1e5 }, (_, i) => reply([`${i + 5}-0`], `${i + 5}-0`)),
      '4-0',
    )
    for (const { follower } of [silent, endless]) {
      const sinceMs = systemClock.monotonic()
      await follower.catchUp(100)
      t.ok(systemClock.monotonic() - sinceMs < 2000)
    }
    t.match(silent.lines, [{ msg: /^no scheduler tells what was purged meanwhile/ }])
    const refused = follow(t, [new Error('refused')], '4-0')
    await refused.follower.catchUp(5000)
    t.equal(refused.asked.length, 1, 'and is not asked again before anything is served')
  },
)

t.test('each batch is applied before the next is asked for, and failures pause it', async (t) => {
  const away = new Error('connection refused')
  const { asked, taken, taker, lines, start } = follow(
    t,
    [reply(['5-0'], '5-0'), away, away, reply(['6-0'], '6-0'), reply(['6-0'], '6-0')],
    '4-0',
  )
  const sinceMs = systemClock.monotonic()
  start()
  await until('two failures', () => asked.length === 3)
  taker.failures = 1
  await until('all is applied', () => taken.length === 2)
  t.ok(systemClock.monotonic() - sinceMs >= 3 * EVENTS_RETRY_MS - 50, 'three pauses')
  t.same(
    asked.slice(0, 5).map(({ after }) => after),
    ['4-0', '5-0', '5-0', '5-0', '5-0'],
    'what could not be applied is not acknowledged',
  )
  const warnings = lines.filter((line) => JSON.stringify(line).includes('cannot follow'))
  t.equal(warnings.length, 2, 'each cause is said once')
})

t.test(
  'schedulers that do not know each other have it ask for everything again, and not without end',
  async (t) => {
    const { asked, start } = follow(
      t,
      Array.from({ length: 100 }, (_, i) => reply([], `${i + 5}-0`, true)),
      '4-0',
    )
    const sinceMs = systemClock.monotonic()
    start()
    await delay(EVENTS_RETRY_MS + 100)
    const pauses = Math.floor((systemClock.monotonic() - sinceMs) / EVENTS_RETRY_MS)
    t.ok(asked.length <= pauses + 2, `${asked.length} questions in ${pauses} pauses`)
  },
)

t.test('an edge that serves already and had heard nothing takes the first word for a gap', async (t) => {
  const { taken, start } = follow(t, [reply([], '5-0')])
  start()
  await until('it was told', () => taken.length === 1)
  t.same(taken, [{ ids: [], last: '5-0', gap: true }])
})

t.test('who knows of a later event waits until it holds here, and no longer than it is worth', async (t) => {
  const answers = [new Error('away'), reply(['5-0'], '5-0'), reply(['6-0'], '6-0')]
  const { follower, start, asked } = follow(t, answers, '4-0')
  t.ok(await follower.reach('4-0'), 'what holds already is no reason to wait')
  t.ok(await follower.reach(''), 'nor what was never heard')
  start()
  await until('the first question failed', () => asked.length === 1)
  const begun = systemClock.monotonic()
  t.ok(await follower.reach('6-0'))
  t.ok(systemClock.monotonic() - begun < EVENTS_RETRY_MS, 'it does not rest before it asks again')
  t.notOk(await follower.reach('7-0'))
  t.ok(systemClock.monotonic() - begun >= PEER_EVENTS_WAIT_MS - 5)
  const again = systemClock.monotonic()
  t.same(await Promise.all([follower.reach('7-0'), follower.reach('8-0')]), [false, false])
  t.ok(systemClock.monotonic() - again < PEER_EVENTS_WAIT_MS / 2, 'nothing was heard since: no second wait')
})

t.test('a question that nobody may have heard is asked anew, as often as it is told to', async (t) => {
  const { follower, asked, taken, lines, start } = follow(t, ['held', 'held', reply(['5-0'], '5-0')], '4-0')
  start()
  for (let questions = 1; questions <= 2; questions++) {
    await until('it is held', () => asked.length === questions)
    await nextTurn()
    follower.askAgain()
  }
  await until('it was told', () => taken.length === 1)
  t.ok(asked.every(({ after, hold }, i) => after === (i < 3 ? '4-0' : '5-0') && hold))
  t.same(lines, [], 'that is no failure')
})

const config = (id: string, version: number): ClusterEvent => ({ kind: 'config', id, atMs: 1, version })

t.test('a new configuration is told of at once, the latest alone, and none that a start finds', async (t) => {
  const answers = [
    { events: [config('4-0', 1)], last: '4-0', gap: false },
    reply([], '4-0'),
    { events: [config('5-0', 2), config('6-0', 3)], last: '6-0', gap: false },
  ]
  const told: number[] = []
  const { follower, start, taken } = follow(t, answers, '3-0', { onConfig: (version) => told.push(version) })
  await follower.catchUp(5000)
  t.same(told, [], 'its first report finds what is current')
  start()
  await until('it was told', () => told.length > 0)
  t.same(told, [3])
  await until('all is taken', () => taken.at(-1)?.last === '6-0')
})
