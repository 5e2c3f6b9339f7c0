// What is asked of every server, and what is made of the answers.
import { median, round } from '../lib/stats.ts'
import { takeTurns } from '../lib/taking-turns.ts'
import type { TimedRun, Timing } from '../lib/taking-turns.ts'
import { runWrk } from '../lib/wrk.ts'
import type { WrkRun } from '../lib/wrk.ts'
import type { Peer } from './peer.ts'

export interface Question {
  readonly name: string
  readonly bytes: number
  readonly objects: number
  readonly connections: number
  /** What is compared. */
  readonly unit: 'requests/s' | 'MB/s'
  /** Names of the servers that answer it; the first is the one judged. */
  readonly servers: readonly string[]
  /** The better of these is what the first is measured against. */
  readonly against: readonly string[]
  /** The ratio to reach. */
  readonly goal: number
}

const ALL = ['edgeward', 'edgeward-other', 'nginx', 'varnish', 'traffic-server']
const BETTER_OF = ['nginx', 'varnish']

export const QUESTIONS: readonly Question[] = [
  {
    name: '1 KiB hits',
    bytes: 1024,
    objects: 100,
    connections: 64,
    unit: 'requests/s',
    servers: ALL,
    against: BETTER_OF,
    goal: 1,
  },
  {
    name: '64 KiB hits',
    bytes: 64 * 1024,
    objects: 100,
    connections: 64,
    unit: 'requests/s',
    servers: ALL,
    against: BETTER_OF,
    goal: 1,
  },
  {
    name: '2 MiB hits in memory',
    bytes: 2 * 2 ** 20,
    objects: 32,
    connections: 16,
    unit: 'MB/s',
    servers: ALL,
    against: BETTER_OF,
    goal: 1,
  },
  {
    name: '2 MiB hits on disk',
    bytes: 2 * 2 ** 20,
    objects: 32,
    connections: 16,
    unit: 'MB/s',
    servers: ['edgeward-disk', 'edgeward-other-disk', 'nginx'],
    against: ['nginx'],
    goal: 0.6,
  },
]

export interface Measured {
  readonly server: string
  /** One value a round, in the question's unit. */
  readonly runs: readonly number[]
  readonly median: number
  readonly latencyP50Ms: number
  readonly latencyP99Ms: number
  /** Processor time of the server a request; less sensitive than the rate to what else the machine does. */
  readonly cpuMicroseconds: number
  /** The most that anything else took of one of the two cores during a run that counts, as a share. */
  readonly disturbance: number
}

export async function measure(
  question: Question,
  peers: readonly Peer[],
  timing: Timing,
): Promise<Measured[]> {
  const turns = await takeTurns(peers, timing, (peer, seconds) =>
    runWrk({
      origin: peer.url,
      prefix: `/${question.bytes}/`,
      count: question.objects,
      connections: question.connections,
      seconds,
      cpus: timing.clientCpu,
    }),
  )
  return turns.map(({ contender, runs }) => summarise(question, contender.name, runs))
}

function summarise(question: Question, server: string, runs: readonly TimedRun<WrkRun>[]): Measured {
  const scale = question.unit === 'MB/s' ? question.bytes / 1e6 : 1
  const values = runs.map((run) => round(run.requestsPerSecond * scale, 0))
  return {
    server,
    runs: values,
    median: median(values),
    latencyP50Ms: round(median(runs.map((run) => run.latencyP50Ms)), 2),
    latencyP99Ms: round(median(runs.map((run) => run.latencyP99Ms)), 2),
    cpuMicroseconds: round(median(runs.map((run) => (run.serverSeconds / run.requests) * 1e6)), 1),
    disturbance: round(Math.max(...runs.map((run) => run.disturbance)), 2),
  }
}
