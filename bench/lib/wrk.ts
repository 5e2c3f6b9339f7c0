// One run of wrk over a set of objects, or as the clients of a file, on a given core.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { childSeconds } from './child-seconds.ts'

const SCRIPT = fileURLToPath(new URL('wrk.lua', import.meta.url))

const summarySchema = z.object({
  requests: z.number(),
  bytes: z.number(),
  microseconds: z.number(),
  errors: z.number(),
  p50: z.number(),
  p99: z.number(),
})

export interface WrkRun {
  requests: number
  seconds: number
  requestsPerSecond: number
  /** From request to the end of its reply, ms. */
  latencyP50Ms: number
  latencyP99Ms: number
  /** Processor time that wrk itself took. */
  cpuSeconds: number
}

export interface Objects {
  /** Paths are `<prefix>0` to `<prefix><count-1>`. */
  prefix: string
  count: number
}

export interface Clients {
  /** Of lines with a request each: host, path, and the address that a proxy has seen. */
  clientsFile: string
  /** Between two requests of a connection; 0 for none. */
  pauseMs: number
}

export interface WrkBounds {
  origin: string
  connections: number
  seconds: number
  cpus: string
}

/** Throws when any reply was an error: such a run measures nothing. */
export async function runWrk(options: WrkBounds & (Objects | Clients)): Promise<WrkRun> {
  const { origin, connections, seconds, cpus } = options
  const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '10s', '-s', SCRIPT]
  const asked =
    'clientsFile' in options
      ? [options.clientsFile, String(options.pauseMs)]
      : [options.prefix, String(options.count), new URL(origin).host]
  const command = ['taskset', '-c', cpus, 'wrk', ...args, origin, '--', ...asked]
  // The shell's `times` says what its children took, on its second line.
  const { stdout } = await promisify(execFile)('sh', ['-c', '"$@"; times', 'sh', ...command])
  const line = /^JSON (.*)$/m.exec(stdout)?.[1]
  if (line === undefined) throw new Error(`wrk said:\n${stdout}`)
  const summary = summarySchema.parse(JSON.parse(line))
  if (summary.errors > 0) throw new Error(`wrk saw ${summary.errors} errors:\n${stdout}`)
  const ran = summary.microseconds / 1e6
  return {
    requests: summary.requests,
    seconds: ran,
    requestsPerSecond: summary.requests / ran,
    latencyP50Ms: summary.p50 / 1000,
    latencyP99Ms: summary.p99 / 1000,
    cpuSeconds: childSeconds(stdout),
  }
}
