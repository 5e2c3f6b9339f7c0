// The limits of a property, ready to be asked: numbers in the units that are counted in, null where there is none.
import type { LimitSettings } from '../../src/config/limits-schema.ts'
import {
  PACED_PIECE_BYTES_MAX,
  PACED_PIECE_BYTES_MIN,
  PACED_PIECE_MS,
  SESSION_IDLE_MS,
  SESSIONS_FOLLOWED_MAX,
  SHARED_PIECE_BYTES_MAX,
} from '../limits.ts'
import { bucketSize } from './token-bucket.ts'
import type { BucketSize } from './token-bucket.ts'

export interface ResponsePace {
  readonly bytesPerMs: number
  readonly burstBytes: number
}

export interface CompiledLimits {
  readonly requests: BucketSize | null
  readonly clientRequests: BucketSize | null
  /** Running at once, of one client. */
  readonly clientConnections: number
  readonly response: ResponsePace | null
  /** Bytes a millisecond; null: as fast as it goes. */
  readonly bandwidth: number | null
  readonly clientBandwidth: number | null
  /** Of a paced body, what leaves at a time; 0: nothing is paced. */
  readonly pieceBytes: number
  readonly sessions: number
  readonly clientSessions: number
  /** Somebody wants to know of sessions: a limit, a hook or a listener. */
  readonly followsSessions: boolean
  /** Further ones are not followed. */
  readonly sessionsMax: number
  readonly sessionIdleMs: number
  readonly steers: boolean
}

/** null: nothing is limited or followed, and a request costs nothing here. */
export function compileLimits(settings: LimitSettings, sessionsAskedFor: boolean): CompiledLimits | null {
  const { client } = settings
  const sessions = settings.sessions ?? Number.POSITIVE_INFINITY
  const clientSessions = client.sessions ?? Number.POSITIVE_INFINITY
  const followsSessions = sessionsAskedFor || settings.sessions !== undefined || client.sessions !== undefined
  const response =
    settings.response === undefined
      ? null
      : { bytesPerMs: settings.response.rate / 8000, burstBytes: settings.response.burst }
  const limits: CompiledLimits = {
    requests: settings.requests === undefined ? null : bucketSize(settings.requests),
    clientRequests: client.requests === undefined ? null : bucketSize(client.requests),
    clientConnections: client.connections ?? Number.POSITIVE_INFINITY,
    response,
    bandwidth: bytesPerMs(settings.bandwidth),
    clientBandwidth: bytesPerMs(client.bandwidth),
    pieceBytes: pieceBytesOf(settings),
    sessions,
    clientSessions,
    followsSessions,
    sessionsMax: Number.isFinite(sessions) ? sessions : SESSIONS_FOLLOWED_MAX,
    sessionIdleMs: settings.sessionIdle ?? SESSION_IDLE_MS,
    steers: settings.over === 'steer',
  }
  const idle =
    limits.requests === null &&
    limits.clientRequests === null &&
    limits.clientConnections === Number.POSITIVE_INFINITY &&
    limits.pieceBytes === 0 &&
    !followsSessions
  return idle ? null : limits
}

function bytesPerMs(bitRate: number | undefined): number | null {
  return bitRate === undefined ? null : bitRate / 8000
}

/**
 * One length for a whole property: those who wait for a shared bandwidth take turns, and turns are fair when they
 * are equal. Long enough that a reply wakes about ten times a second, short enough that others are not kept waiting.
 */
function pieceBytesOf(settings: LimitSettings): number {
  const shared = [settings.bandwidth, settings.client.bandwidth].filter((rate) => rate !== undefined)
  const rates = [...shared, settings.response?.rate].filter((rate) => rate !== undefined)
  if (rates.length === 0) return 0
  const most = shared.length > 0 ? SHARED_PIECE_BYTES_MAX : PACED_PIECE_BYTES_MAX
  const wanted = Math.round((Math.min(...rates) / 8000) * PACED_PIECE_MS)
  return Math.max(PACED_PIECE_BYTES_MIN, Math.min(most, wanted))
}
