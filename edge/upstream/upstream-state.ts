// What an edge has seen of one upstream, an origin or another edge: its circuit, its places, what came of the requests.
import {
  isAskable,
  isOpen,
  mayCall,
  newCircuit,
  noteAnswer,
  noteFailure,
  noteNothing,
  trip,
} from '../circuit.ts'
import { UPSTREAM_CIRCUIT, UPSTREAM_DOUBT_MS } from '../limits.ts'
import { OriginSlots } from './origin-slots.ts'

/**
 *   unreachable  no connection, or no answer in time: what is sent there is lost time
 *   answers      it answers, but with errors: still better than nothing
 */
export type Trouble = 'unreachable' | 'answers'

export interface UpstreamTotals {
  answered: number
  failed: number
}

export class UpstreamState {
  readonly id: string
  readonly kind: 'origin' | 'edge'
  readonly slots: OriginSlots
  readonly totals: UpstreamTotals = { answered: 0, failed: 0 }
  /** Requests sent to it beside one to another that was slow, and how many of them gave the answer. */
  readonly hedges = { sent: 0, answered: 0 }
  /** Of the failures that opened the circuit, the last. */
  trouble: Trouble = 'answers'
  /** When it last gave an answer. */
  answeredMs = Number.NEGATIVE_INFINITY
  readonly #circuit = newCircuit(UPSTREAM_CIRCUIT)
  readonly #onOpen: (state: UpstreamState) => void
  /** Since when answers failed to come, and how many of them do not count yet; null: the last did. */
  #doubtSinceMs: number | null = null
  #doubts = 0
  #taken: UpstreamTotals = { answered: 0, failed: 0 }

  constructor(
    id: string,
    kind: 'origin' | 'edge',
    connections: number,
    onOpen: (state: UpstreamState) => void,
  ) {
    this.id = id
    this.kind = kind
    this.slots = new OriginSlots(connections)
    this.#onOpen = onOpen
  }

  get isOpen(): boolean {
    return isOpen(this.#circuit)
  }

  isAskable(nowMs: number): boolean {
    return isAskable(this.#circuit, nowMs)
  }

  /** If so it is asked, and one of the three below says what came of it. */
  ask(nowMs: number): boolean {
    return mayCall(this.#circuit, nowMs)
  }

  answered(nowMs: number): void {
    this.totals.answered++
    this.answeredMs = nowMs
    this.#doubtSinceMs = null
    this.#doubts = 0
    noteAnswer(this.#circuit)
  }

  failed(trouble: Trouble, nowMs: number): void {
    this.totals.failed++
    this.trouble = trouble
    if (noteFailure(this.#circuit, nowMs)) this.#onOpen(this)
  }

  /**
   * The same of an answer that did not come over a connection that did. A few at once may be about what was asked for, by
   * whoever would have others refused; they count when nothing is answered for a while.
   */
  failedInDoubt(trouble: Trouble, nowMs: number): void {
    this.#doubtSinceMs ??= nowMs
    this.#doubts++
    if (!this.isOpen && nowMs - this.#doubtSinceMs < UPSTREAM_DOUBT_MS) return
    for (; this.#doubts > 0; this.#doubts--) this.failed(trouble, nowMs)
  }

  givenUp(): void {
    noteNothing(this.#circuit)
  }

  /** Something else than a request has found that it is not there. */
  found(nowMs: number): void {
    this.trouble = 'unreachable'
    if (trip(this.#circuit, nowMs)) this.#onOpen(this)
  }

  /** Since they were taken last. */
  takeOutcomes(): UpstreamTotals {
    const { answered, failed } = this.totals
    const since = { answered: answered - this.#taken.answered, failed: failed - this.#taken.failed }
    this.#taken = { answered, failed }
    return since
  }
}
