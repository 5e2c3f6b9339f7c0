// The figures as data for results/, and as tables for a terminal.
import { formatTable } from '../lib/table.ts'
import type { Machine } from '../lib/machine.ts'
import { median, percentile, round } from '../lib/stats.ts'
import type { MemoryResult } from './memory.ts'
import type { Measured, Question } from './questions.ts'

/** Time to first byte of a miss: at most this much more than nginx. */
const FIRST_BYTE_GOAL_MS = 1
/** Memory beyond the configured tiers. */
const OVER_TIER_GOAL_BYTES = 150e6

export interface Verdict {
  /** What was reached, in the words of the goal. */
  readonly reached: number
  readonly goal: number
  readonly met: boolean
}

export interface QuestionResult {
  readonly question: Question
  readonly measured: readonly Measured[]
  /** Ratio to the better of the servers it is judged against; null when none of them ran. */
  readonly verdict: Verdict | null
}

export interface FirstByteResult {
  readonly bytes: number
  readonly objects: number
  readonly servers: readonly { server: string; medianMs: number; p99Ms: number }[]
  /** Milliseconds more than nginx, of the median. */
  readonly verdict: Verdict | null
}

export interface PeersResult {
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  readonly rounds: number
  readonly secondsPerRun: number
  readonly questions: readonly QuestionResult[]
  readonly firstByte: FirstByteResult | null
  readonly memory: readonly (MemoryResult & { verdict: Verdict | null })[]
}

export function judge(question: Question, measured: readonly Measured[]): QuestionResult {
  const own = measured.find((one) => one.server === question.servers[0])
  const rivals = measured.filter((one) => question.against.includes(one.server)).map((one) => one.median)
  if (own === undefined || rivals.length === 0) return { question, measured, verdict: null }
  const reached = own.median / Math.max(...rivals)
  const verdict = { reached: round(reached, 2), goal: question.goal, met: reached >= question.goal }
  return { question, measured, verdict }
}

export function judgeFirstBytes(
  bytes: number,
  servers: readonly string[],
  times: readonly (readonly number[])[],
): FirstByteResult {
  const rows = servers.map((server, i) => ({
    server,
    medianMs: round(median(times[i] ?? []), 3),
    p99Ms: round(percentile(times[i] ?? [], 0.99), 3),
  }))
  const own = rows.find((row) => row.server === 'edgeward')
  const nginx = rows.find((row) => row.server === 'nginx')
  const verdict =
    own === undefined || nginx === undefined
      ? null
      : atMost(round(own.medianMs - nginx.medianMs, 3), FIRST_BYTE_GOAL_MS)
  return { bytes, objects: times[0]?.length ?? 0, servers: rows, verdict }
}

export function judgeMemory(result: MemoryResult): MemoryResult & { verdict: Verdict | null } {
  const isOurs = result.server.startsWith('edgeward')
  return { ...result, verdict: isOurs ? atMost(result.overTierBytes, OVER_TIER_GOAL_BYTES) : null }
}

function atMost(reached: number, goal: number): Verdict {
  return { reached, goal, met: reached <= goal }
}

export function formatQuestion({ question, measured, verdict }: QuestionResult): string {
  const head = [
    question.name,
    question.unit,
    'runs',
    'p50 ms',
    'p99 ms',
    'server CPU µs/request',
    'disturbed %',
  ]
  const rows = measured.map((one) => [
    one.server,
    one.median.toFixed(0),
    `${Math.min(...one.runs).toFixed(0)} to ${Math.max(...one.runs).toFixed(0)}`,
    one.latencyP50Ms.toFixed(2),
    one.latencyP99Ms.toFixed(2),
    one.cpuMicroseconds.toFixed(1),
    (one.disturbance * 100).toFixed(0),
  ])
  const rival =
    question.against.length > 1 ? `the better of ${question.against.join(' and ')}` : question.against[0]
  return `${formatTable([head, ...rows])}\n${formatVerdict(verdict, `times ${rival}`)}\n`
}

export function formatFirstBytes({ bytes, objects, servers, verdict }: FirstByteResult): string {
  const head = [`first byte of a miss, ${objects} objects of ${bytes / 1024} KiB`, 'median ms', 'p99 ms']
  const rows = servers.map((row) => [row.server, row.medianMs.toFixed(3), row.p99Ms.toFixed(3)])
  return `${formatTable([head, ...rows])}\n${formatVerdict(verdict, 'ms more than nginx')}\n`
}

export function formatMemory(results: PeersResult['memory']): string {
  const head = ['memory, MB', 'tier', 'resident', 'peak', 'peak over tier', '']
  const rows = results.map((one) => [
    one.server,
    megabytes(one.tierBytes),
    megabytes(one.residentBytes),
    megabytes(one.peakBytes),
    megabytes(one.overTierBytes),
    one.verdict === null ? '' : one.verdict.met ? 'met' : 'NOT MET',
  ])
  return `${formatTable([head, ...rows])}\n→ goal: Edgeward at most ${megabytes(OVER_TIER_GOAL_BYTES)} over its tier\n`
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

function formatVerdict(verdict: Verdict | null, words: string): string {
  if (verdict === null) return '→ nothing to compare with'
  return `→ ${verdict.reached} ${words}; goal ${verdict.goal}: ${verdict.met ? 'met' : 'NOT MET'}`
}
