// When most of the fleet seems to be gone at once, clients are still sent to it: a real scheduler and edges that
// report, fall silent and come back.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { fetch } from 'undici'
import { systemClock } from '../../src/clock.ts'
import { get } from '../kit/client.ts'
import { metricOf } from '../kit/metric.ts'
import { edgeEntry } from '../kit/scheduler.ts'
import { startSchedulerProcess } from '../kit/scheduler-process.ts'
import type { SchedulerProcess } from '../kit/scheduler-process.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

t.jobs = 2

const IDS = ['e-1', 'e-2', 'e-3', 'e-4', 'e-5', 'e-6']
const CAPACITY = { bandwidth: '1000Gbit', connections: 1_000_000 }
const HELD = 'edgeward_scheduler_held_edges{evidence="reports"}'

/** Six edges of one site that have been up for long. Nothing is probed: they are at no address. */
class Fleet {
  readonly scheduler: SchedulerProcess
  readonly #ends = new Map<string, () => void>()
  #asset = 0

  private constructor(scheduler: SchedulerProcess) {
    this.scheduler = scheduler
  }

  static async start(t: TestScope): Promise<Fleet> {
    const listen = { listen: '127.0.0.1:0' }
    const scheduler = await startSchedulerProcess(t, {
      scheduler: { steering: listen, control: listen, admin: listen, accessLog: false, probes: false },
      sites: [{ id: 'here' }],
      // So much room that clients who were just sent there do not count.
      edges: IDS.map((id) => edgeEntry(id, 'here', { capacity: CAPACITY })),
    })
    const fleet = new Fleet(scheduler)
    fleet.report(...IDS)
    for (const id of IDS) await scheduler.untilState(id, 'up')
    return fleet
  }

  report(...ids: string[]): void {
    for (const id of ids) this.#ends.set(id, this.scheduler.keepReporting(id, { uptimeMs: 1e9 }))
  }

  silence(...ids: string[]): void {
    for (const id of ids) this.#ends.get(id)?.()
  }

  /** Asks for so many assets, one after another; gives the edges that they are sent to, or the status. */
  async ask(assets: number): Promise<Set<string>> {
    const sentTo = new Set<string>()
    for (let i = 0; i < assets; i++) {
      const { status, headers } = await get(`${this.scheduler.steering}/${this.#asset++}/main.m3u8`, {
        headers: { host: 'shows.example.com' },
      })
      sentTo.add(headers.location?.split('/')[2]?.split('.')[0] ?? String(status))
    }
    return sentTo
  }

  async askFor(ms: number): Promise<Set<string>> {
    const sentTo = new Set<string>()
    for (const endMs = systemClock.monotonic() + ms; systemClock.monotonic() < endMs; await delay(25)) {
      for (const id of await this.ask(5)) sentTo.add(id)
    }
    return sentTo
  }

  held(): Promise<number> {
    return metricOf(this.scheduler.admin, HELD)
  }

  async override(id: string, state: 'drain' | 'down' | null): Promise<void> {
    await fetch(`${this.scheduler.admin}/api/v1/edges/${id}/override`, {
      method: state === null ? 'DELETE' : 'PUT',
      ...(state !== null && {
        body: JSON.stringify({ state }),
        headers: { 'content-type': 'application/json' },
      }),
    })
  }

  /** Lines of the scheduler's log about a mass failure. */
  lines(): string[] {
    return this.scheduler.daemon
      .stderr()
      .split('\n')
      .filter((line) => line.includes('mass failure'))
  }
}

const only = (...ids: string[]) => new Set(ids)
const sorted = (ids: Iterable<string>) => [...ids].toSorted()

t.test(
  'five of six fall silent: all are sent clients, until they are heard again',
  { buffered: true },
  async (t) => {
    const fleet = await Fleet.start(t)
    const [first = '', ...rest] = IDS
    fleet.silence(...rest)
    const sentTo = await fleet.askFor(8000)
    t.same(sorted(sentTo), IDS, 'nobody is refused')
    t.same(sorted(await fleet.ask(200)), IDS, 'eight seconds on')
    t.equal(await fleet.held(), 5)
    t.match(fleet.lines(), [/"level":50.*"evidence":"reports","edges":5/])

    const [second = '', third = '', ...others] = rest
    fleet.report(second, third)
    await until('they are held no more', async () => (await fleet.held()) === 3)
    for (const id of IDS) await fleet.scheduler.untilState(id, 'up', 0)
    t.same(sorted(await fleet.ask(200)), IDS, 'two are back as if they had never been away')
    // Few enough are left then to end it, and those are not heard in the same moment.
    const [fourth = '', ...late] = others
    fleet.report(fourth)
    await until('another is held no more', async () => (await fleet.held()) === 2)
    fleet.report(...late)
    await until('nothing is held', async () => (await fleet.held()) === 0)
    for (const id of IDS) await fleet.scheduler.untilState(id, 'up', 0)
    t.same(sorted(await fleet.ask(200)), IDS, 'all are back as if they had never been away')
    await until('the log says so', () => fleet.lines().length === 2)

    fleet.silence(first)
    await delay(5000)
    t.notOk((await fleet.ask(200)).has(first), 'one alone is believed to be gone')
    t.equal(fleet.lines().length, 2)
  },
)

t.test('an operator is obeyed while the fleet is held', { buffered: true }, async (t) => {
  const fleet = await Fleet.start(t)
  fleet.silence(...IDS)
  await until('all are held', async () => (await fleet.held()) === 6)
  await fleet.override('e-1', 'drain')
  await fleet.override('e-2', 'down')
  await until('two are not', async () => (await fleet.held()) === 4)
  await delay(3000)
  t.same(sorted(await fleet.ask(200)), IDS.slice(2))
  await fleet.override('e-2', null)
  await until('an override that is taken back leaves it as it was', async () => (await fleet.held()) === 5)
  t.same(sorted(await fleet.ask(200)), IDS.slice(1))
})

t.test(
  'a scheduler that stood still refuses nobody when it wakes',
  { buffered: true, timeout: 90_000 },
  async (t) => {
    const fleet = await Fleet.start(t)
    for (const stoppedMs of [8000, 14_000]) {
      fleet.scheduler.daemon.signal('SIGSTOP')
      await delay(stoppedMs)
      // They wait in its sockets, beside the reports of all that time.
      const waiting = Array.from({ length: 20 }, () => fleet.ask(1))
      await delay(50)
      fleet.scheduler.daemon.signal('SIGCONT')
      for (const sentTo of await Promise.all(waiting)) {
        t.ok(IDS.includes([...sentTo].join(' ')), `${[...sentTo].join(' ')} after ${stoppedMs} ms`)
      }
      t.same(sorted(await fleet.askFor(4000)), IDS)
    }
    t.same(fleet.lines(), [])
  },
)

t.test('what dies while the scheduler stands still is noticed after it', { buffered: true }, async (t) => {
  const fleet = await Fleet.start(t)
  fleet.scheduler.daemon.signal('SIGSTOP')
  fleet.silence('e-3')
  await delay(6000)
  fleet.scheduler.daemon.signal('SIGCONT')
  await delay(5500)
  t.same(await fleet.ask(200), only(...IDS.filter((id) => id !== 'e-3')))
})
