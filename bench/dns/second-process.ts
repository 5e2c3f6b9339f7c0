// What a second scheduler on the same port adds. Two servers and a client that keeps both busy want more than two cores:
// with two, all share both, and what they take from each other there says nothing of servers with cores of their own. So
// two on one port are compared with two that have ports of their own and nothing to do with each other, in the same
// place: where a query costs the same, the port holds neither up, and two do twice what one does.
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
  /** Beside the service's. */
  readonly otherPort: number
  /** Asks on each port, by a client of its own. */
  readonly ask: (run: AskedPorts) => Promise<DnsperfRun>
}

export interface AskedPorts {
  readonly ports: readonly number[]
  readonly seconds: number
  readonly cpus: string
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

/** One alone, then two on its port, then two of which one has another; the second process is started anew for each. */
export async function measureSecondProcess(asked: SecondProcessQuestion) {
  const { question, service, serverCpu, clientCpu, rounds, otherPort } = asked
  const bothCpus = `${serverCpu},${clientCpu}`
  const one: Measured[] = []
  const shared: Measured[] = []
  const apart: Measured[] = []
  const first = await start(service, 'first')
  try {
    for (let number = 0; number < rounds; number += 1) {
      first.program.moveTo(serverCpu)
      one.push(await measure([first], asked, { ports: [service.port], cpus: clientCpu }))
      first.program.moveTo(bothCpus)
      for (const port of [service.port, otherPort]) {
        const second = await start({ ...service, cpus: bothCpus, port }, `second-${number}-${port}`)
        try {
          // Two clients, whose ports are one or two.
          const target = { ports: [service.port, port], cpus: bothCpus }
          const run = await measure([first, second], asked, target)
          if (port === service.port) shared.push(run)
          else apart.push(run)
        } finally {
          await second.stop()
        }
      }
    }
  } finally {
    await first.stop()
  }
  const summaries = { one: summaryOf(one), shared: summaryOf(shared), apart: summaryOf(apart) }
  const ratio = round((2 * summaries.apart.cpuMicroseconds) / summaries.shared.cpuMicroseconds, 2)
  const result = { question, ...summaries, ratio, goal: GOAL, met: ratio >= GOAL }
  process.stdout.write(`${tableOf(result)}\n\n`)
  return result
}

async function start(service: Service, name: string) {
  const directory = path.join(service.directory, name)
  mkdirSync(directory)
  return startEdgeward({ ...service, directory }, { reusePort: true, nodeFlags: [] })
}

/** The first run that nothing else disturbed, or the least disturbed of a few. */
async function measure(
  schedulers: readonly ReportedScheduler[],
  asked: SecondProcessQuestion,
  target: Omit<AskedPorts, 'seconds'>,
): Promise<Measured> {
  await asked.ask({ ...target, seconds: WARM_SECONDS })
  let best = await measureOnce(schedulers, asked, target)
  for (let attempt = 1; attempt < ATTEMPTS_MAX && best.disturbance > DISTURBANCE_MAX; attempt += 1) {
    const run = await measureOnce(schedulers, asked, target)
    if (run.disturbance < best.disturbance) best = run
  }
  return best
}

async function measureOnce(
  schedulers: readonly ReportedScheduler[],
  { serverCpu, clientCpu, seconds, ask }: SecondProcessQuestion,
  target: Omit<AskedPorts, 'seconds'>,
): Promise<Measured> {
  const busy = () => busySeconds(serverCpu) + busySeconds(clientCpu)
  const [busyBefore, ownBefore] = [busy(), process.cpuUsage()]
  const before = schedulers.map(({ program }) => program.cpuSeconds())
  const run = await ask({ ...target, seconds })
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
  const names = [
    ['one', 'one'],
    ['shared', 'two, one port'],
    ['apart', 'two, two ports'],
  ] as const
  const rows = names.map(([key, name]) => {
    const { runs, queriesPerSecond, cpuMicroseconds, lesserShare, disturbance } = result[key]
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
    `${result.question}, processes`,
    'queries/s',
    'runs',
    'CPU us/query',
    'lesser share',
    'disturbed %',
  ]
  const { ratio, goal, met } = result
  return (
    `${formatTable([head, ...rows])}\n→ ${ratio} times one with cores of their own, by what a query costs beside two ports; ` +
    `goal ${goal}: ${met ? 'met' : 'NOT MET'}`
  )
}
