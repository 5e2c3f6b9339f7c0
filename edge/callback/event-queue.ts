// The events of one property on their way to its receiver: batched, in order, tried again for a while, bounded. What
// cannot be delivered in time is dropped, oldest first, and counted.
import { setTimeout as wait } from 'node:timers/promises'
import type { EventsSettings } from '../../src/config/callback-schema.ts'
import type { EdgeEvent } from '../../src/wire/callback.ts'
import {
  EVENTS_BATCH_MAX,
  EVENTS_WAITING_MAX,
  EVENT_ATTEMPTS_MAX,
  EVENT_RETRY_FIRST_MS,
  EVENT_RETRY_LAST_MS,
  EVENT_TIMEOUT_MS,
} from '../limits.ts'
import type { HookClient } from './hook-client.ts'

/** What comes within it goes in one batch; so long after one batch the next is sent, unless that is full. */
const GATHER_MS = 100

/** What became of events. */
export interface EventCounts {
  sent: number
  /** Pushed out by later ones. */
  dropped: number
  /** Refused by the receiver, or tried too often. */
  failed: number
}

export class EventQueue {
  settings: EventsSettings
  private readonly client: HookClient
  private readonly counts: EventCounts
  private waiting: EdgeEvent[] = []
  private sending: Promise<void> | null = null
  /** Ends the waits between attempts. */
  private readonly closing = new AbortController()

  constructor(settings: EventsSettings, client: HookClient, counts: EventCounts) {
    this.settings = settings
    this.client = client
    this.counts = counts
  }

  get length(): number {
    return this.waiting.length
  }

  /** Gives the sending, when this event begins it. */
  push(event: EdgeEvent): Promise<void> | null {
    this.waiting.push(event)
    if (this.waiting.length > EVENTS_WAITING_MAX) {
      this.waiting.shift()
      this.counts.dropped++
    }
    if (this.sending !== null) return null
    this.sending = this.send()
    return this.sending
  }

  /** Each batch that still waits is tried once, until the signal. What is left then has failed. */
  async close(signal: AbortSignal): Promise<void> {
    this.closing.abort()
    await this.sending
    while (this.waiting.length > 0 && !signal.aborted) {
      const batch = this.waiting.splice(0, EVENTS_BATCH_MAX)
      this.count(await this.post(batch, signal), batch)
    }
    this.counts.failed += this.waiting.length
    this.waiting = []
  }

  private async send(): Promise<void> {
    const { signal } = this.closing
    while (this.waiting.length > 0 && !signal.aborted) {
      // Before each that is not full: a fast receiver would be sent a list for every event.
      if (this.waiting.length < EVENTS_BATCH_MAX) await pause(GATHER_MS, signal)
      const batch = this.waiting.splice(0, EVENTS_BATCH_MAX)
      const outcome = await this.deliver(batch)
      // Interrupted by the end: one more attempt is made there.
      if (outcome === 'again') this.waiting.unshift(...batch)
      else this.count(outcome, batch)
    }
    // Before anything else runs: an event that comes now begins the next sending.
    this.sending = null
  }

  private async deliver(batch: readonly EdgeEvent[]): Promise<Outcome> {
    const { signal } = this.closing
    let outcome: Outcome = 'again'
    for (let attempt = 0; attempt < EVENT_ATTEMPTS_MAX && !signal.aborted; attempt++) {
      if (attempt > 0)
        await pause(Math.min(EVENT_RETRY_LAST_MS, EVENT_RETRY_FIRST_MS * 2 ** (attempt - 1)), signal)
      if (signal.aborted) return 'again'
      outcome = await this.post(batch, signal)
      if (outcome !== 'again') return outcome
    }
    return signal.aborted ? 'again' : 'failed'
  }

  private async post(batch: readonly EdgeEvent[], signal: AbortSignal): Promise<Outcome> {
    const { url, key } = this.settings
    const answer = await this.client.post({
      url,
      key,
      body: JSON.stringify(batch),
      signal: AbortSignal.any([signal, AbortSignal.timeout(EVENT_TIMEOUT_MS)]),
    })
    if (typeof answer === 'string') return 'again'
    if (answer.status >= 200 && answer.status < 300) return 'sent'
    return answer.status >= 500 || PASSING.has(answer.status) ? 'again' : 'failed'
  }

  private count(outcome: Outcome, batch: readonly EdgeEvent[]): void {
    this.counts[outcome === 'sent' ? 'sent' : 'failed'] += batch.length
  }
}

type Outcome = 'sent' | 'again' | 'failed'

/** Not now, but perhaps later: request timeout, too early, too many requests. */
const PASSING = new Set([408, 425, 429])

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal, ref: false }).catch(() => {})
}
