// The sessions that go on: each begins with a playlist or media and ends a while after its last request is answered.
// One table a property, one wheel for all their ends. Says to a listener when one begins and ends.
import type { Clock } from '../../src/clock.ts'
import type { ClientRecord } from './client-record.ts'
import type { PropertyState } from './property-state.ts'
import type { SessionName } from './session-name.ts'
import { OFF_WHEEL, TimerWheel } from './timer-wheel.ts'
import type { Timed } from './timer-wheel.ts'

/** idle: no request for a while. denied: the hook no longer admits it. drained: the edge stops. */
export type SessionEnd = 'idle' | 'denied' | 'drained'

export interface Session extends Timed {
  readonly name: SessionName
  readonly property: PropertyState
  readonly client: ClientRecord
  readonly address: string
  readonly userAgent: string
  readonly startedMs: number
  requests: number
  /** Of them, being answered now. */
  running: number
  bodyBytes: number
  /** Path of the last request that was answered. */
  lastPath: string
  lastMs: number
  /** False while a hook is being asked: nobody was told of it yet. */
  announced: boolean
  ended: boolean
}

export interface SessionListener {
  began(session: Session): void
  ended(session: Session, why: SessionEnd, nowMs: number): void
}

/** Sessions end this much late at most. */
const TICK_MS = 250
const SLOTS = 512

export class Sessions {
  private readonly clock: Clock
  private readonly listener: SessionListener
  private readonly wheel: TimerWheel<Session>
  private readonly tables = new Set<Map<string, Session>>()

  constructor(clock: Clock, listener: SessionListener) {
    this.clock = clock
    this.listener = listener
    this.wheel = new TimerWheel(clock, { tickMs: TICK_MS, slots: SLOTS }, (session) => this.check(session))
  }

  /** With its first request being answered. `announce` later, or at once. */
  begin(
    property: PropertyState,
    client: ClientRecord,
    name: SessionName,
    from: { address: string; userAgent: string },
  ): Session {
    const nowMs = this.clock.monotonic()
    const session: Session = {
      name,
      property,
      client,
      address: from.address,
      userAgent: from.userAgent,
      startedMs: nowMs,
      requests: 0,
      running: 0,
      bodyBytes: 0,
      lastPath: '',
      lastMs: nowMs,
      announced: false,
      ended: false,
      dueMs: 0,
      slot: OFF_WHEEL,
    }
    property.sessions.set(name.key, session)
    this.tables.add(property.sessions)
    client.sessions++
    return session
  }

  announce(session: Session): void {
    if (session.announced || session.ended) return
    session.announced = true
    this.listener.began(session)
  }

  enter(session: Session): void {
    session.requests++
    session.running++
  }

  leave(session: Session, bodyBytes: number, path: string): void {
    session.running--
    session.bodyBytes += bodyBytes
    session.lastPath = path
    session.lastMs = this.clock.monotonic()
    // While it waits for its end already, the wheel finds out that there was a request since.
    if (session.running === 0 && session.slot === OFF_WHEEL && !session.ended) this.waitForEnd(session)
  }

  /** One that nobody was told of just goes. */
  end(session: Session, why: SessionEnd): void {
    if (session.ended) return
    session.ended = true
    this.wheel.cancel(session)
    session.property.sessions.delete(session.name.key)
    session.client.sessions--
    if (session.announced) this.listener.ended(session, why, this.clock.monotonic())
  }

  /** All of them, as the edge stops. */
  close(): void {
    for (const table of this.tables) for (const session of table.values()) this.end(session, 'drained')
    this.wheel.close()
  }

  private waitForEnd(session: Session): void {
    this.wheel.schedule(session, session.lastMs + session.property.limits.sessionIdleMs)
  }

  private check(session: Session): void {
    // A request that runs puts it back here when it is over.
    if (session.running > 0 || session.ended) return
    const idleMs = this.clock.monotonic() - session.lastMs
    if (idleMs >= session.property.limits.sessionIdleMs) this.end(session, 'idle')
    else this.waitForEnd(session)
  }
}
