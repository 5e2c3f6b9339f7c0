// What an edge tells the operator's services: sessions that begin and end, and denials. Makes the events that a
// property asks for and puts them in its queue; nothing here is ever waited for by a request.
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import type { EventsSettings } from '../../src/config/callback-schema.ts'
import type { EdgeEvent } from '../../src/wire/callback.ts'
import type { Session, SessionEnd, SessionListener } from '../limits/sessions.ts'
import { EVENT_FLUSH_MS } from '../limits.ts'
import { DenialBursts } from './denial-bursts.ts'
import type { Denial } from './denial-bursts.ts'
import { EventQueue } from './event-queue.ts'
import type { EventCounts } from './event-queue.ts'
import type { HookClient } from './hook-client.ts'

export interface EventsDeps {
  readonly edgeId: string
  readonly client: HookClient
  readonly clock: Clock
  readonly background: Background
  /** Of a property, as the configuration has it now. */
  settingsOf(propertyId: string): EventsSettings | undefined
}

const USER_AGENT_LENGTH_MAX = 1024

type Base = 'id' | 'edge' | 'time'

/** An event before it has its number, whichever of the kinds it is. */
type Draft = EdgeEvent extends infer E ? (E extends EdgeEvent ? Omit<E, Base> : never) : never

export class Events implements SessionListener {
  readonly counts: EventCounts = { sent: 0, dropped: 0, failed: 0 }
  private readonly deps: EventsDeps
  /** One for each property that ever had a receiver. */
  private readonly queues = new Map<string, EventQueue>()
  private readonly bursts: DenialBursts
  /** Tells the events of this start from those of another. */
  private readonly series: string
  private number = 0

  constructor(deps: EventsDeps) {
    this.deps = deps
    this.series = `${deps.edgeId}-${Math.floor(deps.clock.now()).toString(36)}`
    this.bursts = new DenialBursts(deps.clock, (last, count, seconds) =>
      this.tellDenials(last, count, seconds),
    )
  }

  get waiting(): number {
    let waiting = 0
    for (const queue of this.queues.values()) waiting += queue.length
    return waiting
  }

  began({ name, property, address, userAgent }: Session): void {
    const agent = userAgent === '' ? null : userAgent.slice(0, USER_AGENT_LENGTH_MAX)
    this.tell({ kind: 'session-start', property: property.id, session: name.id, address, userAgent: agent })
  }

  ended(session: Session, why: SessionEnd): void {
    this.tell({
      kind: 'session-end',
      property: session.property.id,
      session: session.name.id,
      address: session.address,
      why,
      requests: session.requests,
      bytes: session.bodyBytes,
      seconds: Math.round(session.lastMs - session.startedMs) / 1000,
      lastPath: session.lastPath,
    })
  }

  denied(denial: Denial): void {
    if (this.deps.settingsOf(denial.property)?.kinds.includes('denials') === true) this.bursts.note(denial)
  }

  /** Sends what waits, for a bounded time. Sessions have ended by now. */
  async close(): Promise<void> {
    this.bursts.close()
    const signal = AbortSignal.timeout(EVENT_FLUSH_MS)
    await Promise.all([...this.queues.values()].map((queue) => queue.close(signal)))
  }

  private tellDenials({ property, reason, status, address }: Denial, count: number, seconds: number): void {
    this.tell({ kind: 'denials', property, reason, status, count, seconds, address })
  }

  private tell(draft: Draft): void {
    const settings = this.deps.settingsOf(draft.property)
    if (settings === undefined || !settings.kinds.includes(draft.kind)) return
    const { background, clock, edgeId } = this.deps
    const event = {
      id: `${this.series}-${++this.number}`,
      edge: edgeId,
      time: new Date(clock.now()).toISOString(),
      ...draft,
    }
    const sending = this.queueOf(draft.property, settings).push(event)
    if (sending !== null) background('events', sending)
  }

  private queueOf(propertyId: string, settings: EventsSettings): EventQueue {
    let queue = this.queues.get(propertyId)
    if (queue === undefined) {
      queue = new EventQueue(settings, this.deps.client, this.counts)
      this.queues.set(propertyId, queue)
    }
    queue.settings = settings
    return queue
  }
}
