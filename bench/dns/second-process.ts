// What a second scheduler on the same port adds. Two servers and a client that keeps both busy want three cores. With two,
// both servers share one, and the client has the other: what they would do with a core each follows from the processor
// time of a query. Where two processes take no more of it than one, nothing holds one up for the other.
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { DnsperfRun } from '../lib/dnsperf.ts'
import { busySeconds } from '../lib/processors.ts'
import { median, round } from '../lib/stats.ts'
import { formatTable } from '../lib/table.ts'
import { startEdgeward } from './edgeward.ts'
import type { ReportedScheduler } from './edgeward.ts'
import type { Service } from './service.ts'

const GOAL = 1.7
/** Processor time of a process's first seconds is its compiler's. */
const WARM_SECONDS = 3
/** A run is repeated, this often at most, when something else took more than this share of a core. */
const DISTURBANCE_MAX = 0.05
const ATTEMPTS_MAX = 4

export interface SecondProcessQuestion {
  readonly question: string
  readonly service: Service
  readonly serverCpu: string
  readonly clientCpu: string
  readonly rounds: number
  readonly seconds: number
  /** As many queries wait for each process as for one alone. */
  readonly ask: (seconds: number, cpus: string, processes: number) => Promise<DnsperfRun>
}

interface Measured {
  readonly queriesPerSecond: number
  /** Of all processes together, without what their reports take. */
  readonly cpuMicroseconds: number
  /** The part of the processor time that the one with less of it took. */
  readonly lesserShare: number
  /** What anything else took of the two cores, as a share of one. */
  readonly disturbance: number
}

/** In turns; the second process is started anew for each. */
export async function measureSecondProcess(asked: SecondProcessQuestion) {
  const { question, clientCpu, rounds } = asked
  const one: Measured[] = []
  const two: Measured[] = []
  const first = await start(asked, 'first')
  try {
    await asked.ask(WARM_SECONDS, clientCpu, 1)
    for (let number = 0; number < rounds; number += 1) {
      one.push(await undisturbed([first], asked))
      const second = await start(asked, `second-${number}`)
      try {
        await asked.ask(WARM_SECONDS, clientCpu, 2)
        two.push(await undisturbed([first, second], asked))
      } finally {
        await second.stop()
      }
    }
  } finally {
    await first.stop()
  }
  const [alone, together] = [summaryOf(one), summaryOf(two)]
  // Of two processes with a core each, were there a third one for the client.
  const ratio = round((2 * alone.cpuMicroseconds) / together.cpuMicroseconds, 2)
  const result = {
    question,
    one: alone,
    two: together,
    ratio,
    goal: GOAL,
    met: ratio >= GOAL,
  }
  process.stdout.write(`${tableOf(result)}\n\n`)
  return result
}

async function start({ service }: SecondProcessQuestion, name: string) {
  const directory = path.join(service.directory, name)
  mkdirSync(directory)
  return startEdgeward({ ...service, directory }, { reusePort: true, nodeFlags: [] })
}

/** The first run that nothing else disturbed, or the least disturbed of a few. */
async function undisturbed(
  schedulers: readonly ReportedScheduler[],
  asked: SecondProcessQuestion,
): Promise<Measured> {
  let best = await measure(schedulers, asked)
  for (let attempt = 1; attempt < ATTEMPTS_MAX && best.disturbance > DISTURBANCE_MAX; attempt += 1) {
    const run = await measure(schedulers, asked)
    if (run.disturbance < best.disturbance) best = run
  }
  return best
}

async function measure(
  schedulers: readonly ReportedScheduler[],
  { serverCpu, clientCpu, seconds, ask }: SecondProcessQuestion,
): Promise<Measured> {
  const busy = () => busySeconds(serverCpu) + busySeconds(clientCpu)
  const [busyBefore, ownBefore] = [busy(), process.cpuUsage()]
  const before = schedulers.map(({ program }) => program.cpuSeconds())
  const run = await ask(seconds, clientCpu, schedulers.length)
  const took = schedulers.map(({ program }, i) => program.cpuSeconds() - (before[i] ?? 0))
  const { user, system } = process.cpuUsage(ownBefore)
  const all = took.reduce((sum, one) => sum + one, 0)
  const others = busy() - busyBefore - all - run.cpuSeconds - (user + system) / 1e6
  const reports = schedulers.reduce((sum, { reportsShare }) => sum + reportsShare * run.seconds, 0)
  return {
    queriesPerSecond: run.queriesPerSecond,
    cpuMicroseconds: ((all - reports) / run.queries) * 1e6,
    lesserShare: Math.min(...took) / all,
    disturbance: Math.max(0, others / run.seconds),
  }
}

function summaryOf(runs: readonly Measured[]) {
  const rates = runs.map((run) => round(run.queriesPerSecond, 0))
  return {
    runs: rates,
    queriesPerSecond: median(rates),
    cpuMicroseconds: round(median(runs.map((run) => run.cpuMicroseconds)), 2),
    lesserShare: round(median(runs.map((run) => run.lesserShare)), 2),
    disturbance: round(Math.max(...runs.map((run) => run.disturbance)), 2),
  }
}

function tableOf(result: Awaited<ReturnType<typeof measureSecondProcess>>): string {
  const rows = (['one', 'two'] as const).map((name) => {
    const { runs, queriesPerSecond, cpuMicroseconds, lesserShare, disturbance } = result[name]
    return [
      name,
      queriesPerSecond.toFixed(0),
      `${Math.min(...runs)} to ${Math.max(...runs)}`,
      cpuMicroseconds.toFixed(2),
      lesserShare.toFixed(2),
      (disturbance * 100).toFixed(0),
    ]
  })
  const head = [
    `${result.question}, processes on one core`,
    'queries/s',
    'runs',
    'CPU us/query',
    'lesser share',
    'disturbed %',
  ]
  const { ratio, goal, met } = result
  return (
    `${formatTable([head, ...rows])}\n→ ${ratio} times one on cores of their own, by the processor time of a query; ` +
    `goal ${goal}: ${met ? 'met' : 'NOT MET'}`
  )
}
