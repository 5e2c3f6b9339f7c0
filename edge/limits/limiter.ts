// Owns all that limits count on one edge: clients, buckets, sessions, and the two wheels on which paced replies and
// sessions wait. Says whether a request is over a limit; what becomes of it then is the step's business.
import type { Clock } from '../../src/clock.ts'
import type { HttpReply, HttpRequest } from '../../src/http/transaction.ts'
import { formatIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { clientKeyOf } from './client-key.ts'
import { ClientTable } from './client-record.ts'
import type { ClientRecord } from './client-record.ts'
import type { CompiledLimits } from './compile-limits.ts'
import { PacedReply, chargeNow, freeNow } from './paced-reply.ts'
import type { PaceSources, PaceTimers } from './paced-reply.ts'
import { Pipe } from './pipe.ts'
import type { PipeTimer } from './pipe.ts'
import { applyClientLimits, applyLimits, newPropertyState } from './property-state.ts'
import type { LimitRefusal, PropertyState } from './property-state.ts'
import { beginsSession, sessionNameOf } from './session-name.ts'
import type { SessionGrant, SessionName } from './session-name.ts'
import { Sessions } from './sessions.ts'
import type { Session, SessionListener } from './sessions.ts'
import { TimerWheel } from './timer-wheel.ts'
import { takeToken, waitMs } from './token-bucket.ts'

/** What of a request the limits look at. */
export interface LimitQuery {
  readonly propertyId: string
  readonly limits: CompiledLimits
  /** The client's; undefined once its connection is gone. */
  readonly address: IpAddress | undefined
  /** Normalised, without query. */
  readonly path: string
  readonly grant: SessionGrant
  readonly request: HttpRequest
}

/** A request that is counted: `leave` when its reply is over. */
export interface Limited extends PaceSources {
  readonly property: PropertyState
  /** null: nobody asks which session it is of. */
  readonly name: SessionName | null
  /** null: it is of none that is followed. */
  readonly session: Session | null
  paced: PacedReply | null
}

export interface Over {
  readonly refusal: LimitRefusal
  /** At least one; after that a request may well be admitted. */
  readonly retryAfterS: number
}

/** Where nobody knows when there is room again: until a session ends, or a reply. */
const SESSION_RETRY_MS = 10_000
const CONNECTION_RETRY_MS = 1000

export class Limiter {
  readonly sessions: Sessions
  /** One for each property that was ever configured with limits. */
  readonly properties = new Map<string, PropertyState>()
  private readonly clock: Clock
  private readonly clients = new ClientTable()
  private readonly wheel: TimerWheel<Pipe | PacedReply>
  private readonly timers: PaceTimers
  private readonly pipeTimer: PipeTimer

  constructor(clock: Clock, listener: SessionListener) {
    this.clock = clock
    this.sessions = new Sessions(clock, listener)
    const wheel = new TimerWheel<Pipe | PacedReply>(clock, { tickMs: 5, slots: 512 }, (entry, nowMs) =>
      entry instanceof Pipe ? entry.run(nowMs) : entry.mayGo(),
    )
    this.wheel = wheel
    this.pipeTimer = (pipe, dueMs) => wheel.schedule(pipe, dueMs)
    this.timers = {
      monotonic: () => clock.monotonic(),
      wait: (entry, dueMs) => wheel.schedule(entry, dueMs),
      cancel: (entry) => wheel.cancel(entry),
    }
  }

  get clientCount(): number {
    return this.clients.size
  }

  /** Replies and pipes that wait for their time. */
  get waitingCount(): number {
    return this.wheel.size
  }

  /** Counts the request, or says which limit it is over; then nothing is counted. */
  admit(query: LimitQuery): Limited | Over {
    const { limits } = query
    const nowMs = this.clock.monotonic()
    const property = this.propertyOf(query)
    const client = this.clients.find(query.propertyId, clientKeyOf(query.address))
    const over = overRate(property, client, nowMs)
    if (over !== null) return refuse(property, over.refusal, over.waitMs)

    const name = limits.followsSessions ? sessionNameOf(query.grant, query.request, client) : null
    const session = name === null ? null : this.sessionOf(query, property, client, name)
    if (typeof session === 'string')
      return refuse(property, session, Math.min(SESSION_RETRY_MS, limits.sessionIdleMs))

    if (limits.clientRequests !== null) takeToken(client.requests)
    if (limits.requests !== null) takeToken(property.requests)
    client.running++
    if (session !== null) this.sessions.enter(session)
    applyClientLimits(client, limits, this.pipeTimer)
    return { limits, property, client, pipe: property.pipe, name, session, paced: null }
  }

  /** Refused here, but sent where there may be room. */
  noteSteered(propertyId: string, refusal: LimitRefusal): void {
    const property = this.properties.get(propertyId)
    if (property !== undefined) property.steered[refusal]++
  }

  /** The reply is over, however it ended. */
  leave(limited: Limited, bodyBytes: number, path: string): void {
    limited.paced?.close()
    limited.client.running--
    if (limited.session !== null) this.sessions.leave(limited.session, bodyBytes, path)
  }

  /** True when so many bytes may leave in one write, which they then do. */
  sendsWhole(limited: Limited, bytes: number): boolean {
    if (limited.limits.pieceBytes === 0) return true
    const nowMs = this.clock.monotonic()
    if (freeNow(limited, nowMs) < bytes) return false
    chargeNow(limited, bytes, nowMs)
    return true
  }

  /** These leave now, whatever the pace: counted against what comes after them. */
  charge(limited: Limited, bytes: number): void {
    if (limited.limits.pieceBytes > 0) chargeNow(limited, bytes, this.clock.monotonic())
  }

  /** Writes a body at the pace it may have; the reply itself when that is any. */
  writerOf(limited: Limited, reply: HttpReply): Pick<HttpReply, 'write'> {
    if (limited.limits.pieceBytes === 0) return reply
    limited.paced ??= new PacedReply(reply, limited, this.timers)
    return limited.paced
  }

  /** Ends all sessions, and every timer. Replies that wait have ended by now. */
  close(): void {
    this.sessions.close()
    this.wheel.close()
  }

  /** A word: it would begin one too many. */
  private sessionOf(
    query: LimitQuery,
    property: PropertyState,
    client: ClientRecord,
    name: SessionName,
  ): Session | LimitRefusal | null {
    const { request } = query
    const known = property.sessions.get(name.key)
    if (known !== undefined) return known
    if (!beginsSession(request.method, query.path)) return null
    const refusal = overSessions(property, client)
    if (refusal !== null) return refusal
    if (property.sessions.size >= query.limits.sessionsMax) {
      property.unfollowed++
      return null
    }
    const userAgent = request.header('user-agent') ?? ''
    const address = query.address === undefined ? '' : formatIp(query.address)
    return this.sessions.begin(property, client, name, { address, userAgent })
  }

  private propertyOf({ propertyId, limits }: LimitQuery): PropertyState {
    const known = this.properties.get(propertyId)
    if (known !== undefined) {
      applyLimits(known, limits, this.pipeTimer)
      return known
    }
    const state = newPropertyState(propertyId, limits, this.pipeTimer)
    this.properties.set(propertyId, state)
    return state
  }
}

export function isOver(outcome: Limited | Over): outcome is Over {
  return 'refusal' in outcome
}

/** What a client does too much of is its own affair, and asked first: it takes nothing from the property. */
function overRate(
  property: PropertyState,
  client: ClientRecord,
  nowMs: number,
): { refusal: LimitRefusal; waitMs: number } | null {
  const { limits } = property
  if (client.running >= limits.clientConnections)
    return { refusal: 'client_connections', waitMs: CONNECTION_RETRY_MS }
  if (limits.clientRequests !== null) {
    const wait = waitMs(client.requests, limits.clientRequests, nowMs)
    if (wait > 0) return { refusal: 'client_requests', waitMs: wait }
  }
  if (limits.requests !== null) {
    const wait = waitMs(property.requests, limits.requests, nowMs)
    if (wait > 0) return { refusal: 'property_requests', waitMs: wait }
  }
  return null
}

function overSessions(property: PropertyState, client: ClientRecord): LimitRefusal | null {
  if (client.sessions >= property.limits.clientSessions) return 'client_sessions'
  return property.sessions.size >= property.limits.sessions ? 'property_sessions' : null
}

function refuse(property: PropertyState, refusal: LimitRefusal, wait: number): Over {
  property.refused[refusal]++
  return { refusal, retryAfterS: Math.max(1, Math.ceil(wait / 1000)) }
}
