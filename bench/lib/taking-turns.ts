// Programs measured beside each other: the client on one core, the program on the other, taking turns within each round,
// so that a slow minute of the machine hits them alike; a run that something else disturbed is repeated.
import { busySeconds } from './processors.ts'
import type { RunningProgram } from './processes.ts'

export interface Contender {
  readonly program: RunningProgram
}

/** What every client says of a run. */
export interface ClientRun {
  seconds: number
  /** Processor time of the client's side. */
  cpuSeconds: number
}

export type TimedRun<R extends ClientRun> = R & {
  /** Processor time of the program. */
  serverSeconds: number
  /** The most that anything else took of one of the two cores, as a share. */
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

/** Asks one program for so many seconds. */
export type AskFor<C, R extends ClientRun> = (contender: C, seconds: number) => Promise<R>

/** The runs that count of each contender, one a round. */
export async function takeTurns<C extends Contender, R extends ClientRun>(
  contenders: readonly C[],
  timing: Timing,
  ask: AskFor<C, R>,
): Promise<{ contender: C; runs: TimedRun<R>[] }[]> {
  const turns = contenders.map((contender) => ({ contender, runs: [] as TimedRun<R>[] }))
  // One short run each that does not count: connections, caches and compilers warm up.
  for (const contender of contenders) await ask(contender, 1)
  for (let roundNumber = 0; roundNumber < timing.rounds; roundNumber++) {
    for (let turn = 0; turn < turns.length; turn++) {
      const next = turns[(turn + roundNumber) % turns.length]
      if (next !== undefined) next.runs.push(await runUndisturbed(next.contender, timing, ask))
    }
  }
  return turns
}

/** The first run that nothing else disturbed, or the least disturbed of a few. */
async function runUndisturbed<C extends Contender, R extends ClientRun>(
  contender: C,
  timing: Timing,
  ask: AskFor<C, R>,
): Promise<TimedRun<R>> {
  let best = await runOnce(contender, timing, ask)
  for (let attempt = 1; attempt < ATTEMPTS_MAX && best.disturbance > DISTURBANCE_MAX; attempt++) {
    const run = await runOnce(contender, timing, ask)
    if (run.disturbance < best.disturbance) best = run
  }
  return best
}

async function runOnce<C extends Contender, R extends ClientRun>(
  contender: C,
  { seconds, serverCpu, clientCpu }: Timing,
  ask: AskFor<C, R>,
): Promise<TimedRun<R>> {
  const serverBefore = contender.program.cpuSeconds()
  const [serverBusy, clientBusy] = [busySeconds(serverCpu), busySeconds(clientCpu)]
  const run = await ask(contender, seconds)
  const serverSeconds = contender.program.cpuSeconds() - serverBefore
  const others = Math.max(
    busySeconds(serverCpu) - serverBusy - serverSeconds,
    busySeconds(clientCpu) - clientBusy - run.cpuSeconds,
  )
  return { ...run, serverSeconds, disturbance: Math.max(0, others / run.seconds) }
}
