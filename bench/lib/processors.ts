// How busy each processor was, as the kernel counts it, so that a run that something else disturbed is told apart.
import { readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

/** Seconds that a processor has spent on programs, theirs and the kernel's for them, since the machine started. */
export function busySeconds(cpu: string): number {
  const line = new RegExp(`^cpu${cpu} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1]
  if (line === undefined) throw new Error(`no processor ${cpu}`)
  const [user, nice, system] = line.split(' ').map(Number)
  return ((user ?? 0) + (nice ?? 0) + (system ?? 0)) / TICKS_PER_SECOND
}
