// What an edge keeps of one property's limits: it outlives a change of the configuration, which only changes the
// numbers. One for each property that was ever configured with limits.
import type { ClientRecord } from './client-record.ts'
import type { CompiledLimits } from './compile-limits.ts'
import { Pipe } from './pipe.ts'
import type { PipeTimer } from './pipe.ts'
import type { Session } from './sessions.ts'
import { newBucket } from './token-bucket.ts'
import type { Bucket } from './token-bucket.ts'

/** Why a request is over a limit; the log, the metrics and the reply use the same words. */
export const LIMIT_REFUSALS = [
  'client_connections',
  'client_requests',
  'client_sessions',
  'property_requests',
  'property_sessions',
] as const

export type LimitRefusal = (typeof LIMIT_REFUSALS)[number]

export interface PropertyState {
  readonly id: string
  limits: CompiledLimits
  readonly requests: Bucket
  pipe: Pipe | null
  readonly sessions: Map<string, Session>
  readonly refused: Record<LimitRefusal, number>
  /** Of these, sent back to the scheduler. */
  readonly steered: Record<LimitRefusal, number>
  /** Sessions that play without being followed, since the table was full. */
  unfollowed: number
}

export function newPropertyState(id: string, limits: CompiledLimits, timer: PipeTimer): PropertyState {
  return {
    id,
    limits,
    requests: newBucket(),
    pipe: limits.bandwidth === null ? null : new Pipe(limits.bandwidth, timer),
    sessions: new Map(),
    refused: noneRefused(),
    steered: noneRefused(),
    unfollowed: 0,
  }
}

/** Takes over new numbers, if they are new. */
export function applyLimits(state: PropertyState, limits: CompiledLimits, timer: PipeTimer): void {
  if (state.limits === limits) return
  state.limits = limits
  state.pipe = pipeFor(state.pipe, limits.bandwidth, timer)
}

export function applyClientLimits(client: ClientRecord, limits: CompiledLimits, timer: PipeTimer): void {
  if ((client.pipe?.bytesPerMs ?? null) === limits.clientBandwidth) return
  client.pipe = pipeFor(client.pipe, limits.clientBandwidth, timer)
}

/** Replies that wait in a pipe that is no longer wanted go on in it. */
function pipeFor(pipe: Pipe | null, bytesPerMs: number | null, timer: PipeTimer): Pipe | null {
  if (bytesPerMs === null) return null
  if (pipe === null) return new Pipe(bytesPerMs, timer)
  pipe.bytesPerMs = bytesPerMs
  return pipe
}

function noneRefused(): Record<LimitRefusal, number> {
  return {
    client_connections: 0,
    client_requests: 0,
    client_sessions: 0,
    property_requests: 0,
    property_sessions: 0,
  }
}
