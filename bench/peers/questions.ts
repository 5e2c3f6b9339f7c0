// What is asked of every server, and how it is timed: wrk on one core, the server on the other, the servers
// taking turns within each round, so that a slow minute of the machine hits them alike.
import { busySeconds } from '../lib/processors.ts'
import { runWrk } from '../lib/wrk.ts'
import type { WrkRun } from '../lib/wrk.ts'
import { median, round } from '../lib/stats.ts'
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

interface Run extends WrkRun {
  serverSeconds: number
  disturbance: number
}

/** A run is repeated, this often at most, when something else took more than this share of a core. */
const DISTURBANCE_MAX = 0.05
const ATTEMPTS_MAX = 6

export interface Timing {
  readonly rounds: number
  readonly seconds: number
  readonly serverCpu: string
  readonly clientCpu: string
}

export async function measure(
  question: Question,
  peers: readonly Peer[],
  timing: Timing,
): Promise<Measured[]> {
  const runs = new Map<Peer, Run[]>(peers.map((peer) => [peer, []]))
  // One short run each that does not count: connections, caches and compilers warm up.
  for (const peer of peers) await runOnce(question, peer, timing, 1)
  for (let roundNumber = 0; roundNumber < timing.rounds; roundNumber++) {
    for (let turn = 0; turn < peers.length; turn++) {
      const peer = peers[(turn + roundNumber) % peers.length]
      if (peer !== undefined) runs.get(peer)?.push(await runUndisturbed(question, peer, timing))
    }
  }
  return peers.map((peer) => summarise(question, peer.name, runs.get(peer) ?? []))
}

/** The first run that nothing else disturbed, or the least disturbed of a few. */
async function runUndisturbed(question: Question, peer: Peer, timing: Timing): Promise<Run> {
  let best = await runOnce(question, peer, timing, timing.seconds)
  for (let attempt = 1; attempt < ATTEMPTS_MAX && best.disturbance > DISTURBANCE_MAX; attempt++) {
    const run = await runOnce(question, peer, timing, timing.seconds)
    if (run.disturbance < best.disturbance) best = run
  }
  return best
}

async function runOnce(question: Question, peer: Peer, timing: Timing, seconds: number): Promise<Run> {
  const serverBefore = peer.program.cpuSeconds()
  const { serverCpu, clientCpu } = timing
  const [serverBusy, clientBusy] = [busySeconds(serverCpu), busySeconds(clientCpu)]
  const run = await runWrk({
    origin: peer.url,
    prefix: `/${question.bytes}/`,
    count: question.objects,
    connections: question.connections,
    seconds,
    cpus: clientCpu,
  })
  const serverSeconds = peer.program.cpuSeconds() - serverBefore
  const others = Math.max(
    busySeconds(serverCpu) - serverBusy - serverSeconds,
    busySeconds(clientCpu) - clientBusy - run.cpuSeconds,
  )
  return { ...run, serverSeconds, disturbance: Math.max(0, others / run.seconds) }
}

function summarise(question: Question, server: string, runs: readonly Run[]): Measured {
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
