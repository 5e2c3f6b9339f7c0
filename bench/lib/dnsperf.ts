// One run of dnsperf over a file of packets, on a given core.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { childSeconds } from './child-seconds.ts'

export interface DnsperfRun {
  queries: number
  seconds: number
  queriesPerSecond: number
  /** Mean time from query to reply, ms. */
  latencyMs: number
  /** Processor time that dnsperf itself took. */
  cpuSeconds: number
}

export interface DnsperfBounds {
  readonly server: string
  readonly port: number
  /** The resolver's address. */
  readonly from: string
  /** Packets, each with its length in front. */
  readonly file: string
  /** Ports that it asks from. */
  readonly sockets: number
  /** Queries without a reply at once. */
  readonly outstanding: number
  readonly seconds: number
  readonly cpus: string
}

/** Throws when a query was not answered NOERROR: such a run measures nothing. */
export async function runDnsperf(bounds: DnsperfBounds): Promise<DnsperfRun> {
  const { server, port, from, file, sockets, outstanding, seconds, cpus } = bounds
  const where = ['-s', server, '-p', String(port), '-a', from]
  const how = ['-T', '1', '-c', String(sockets), '-q', String(outstanding), '-l', String(seconds)]
  const command = ['taskset', '-c', cpus, 'dnsperf', ...where, ...how, '-B', '-d', file]
  const { stdout } = await promisify(execFile)('sh', ['-c', '"$@"; times', 'sh', ...command])
  const figure = (name: string) => Number(new RegExp(`^ *${name} +([\\d.]+)`, 'm').exec(stdout)?.[1])
  const queries = figure('Queries completed:')
  const lost = figure('Queries lost:')
  if (lost !== 0 || figure('Response codes: +NOERROR') !== queries)
    throw new Error(`dnsperf said:\n${stdout}`)
  return {
    queries,
    seconds: figure('Run time \\(s\\):'),
    queriesPerSecond: figure('Queries per second:'),
    latencyMs: figure('Average Latency \\(s\\):') * 1000,
    cpuSeconds: childSeconds(stdout),
  }
}
