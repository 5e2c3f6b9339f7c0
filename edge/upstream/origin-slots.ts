// Places at one origin, counted by whose pace they are held at, each kind with a bound of its own: clients who
// read slowly, and requests that the origin holds, cannot take the places that shared fills need. Who finds none
// free waits, within bounds.
import {
  HELD_CONNECTIONS_MAX,
  ORIGIN_WAITING_MAX,
  ORIGIN_WAIT_MS,
  PARKED_CONNECTIONS_MAX,
  PASSING_CONNECTIONS_MAX,
} from '../limits.ts'

/**
 *   filling  at the origin's pace: a head awaited, a body that is kept
 *   held     the origin holds it until it has the answer
 *   parked   a fill that could be asked for again, at a boundary, until a reader wants more
 *   passing  at a client's pace: a body that is not kept, or one that goes up
 */
export type SlotKind = 'filling' | 'held' | 'parked' | 'passing'

/** Of those that are not configured. */
export const SLOTS_MAX: Record<Exclude<SlotKind, 'filling'>, number> = {
  held: HELD_CONNECTIONS_MAX,
  parked: PARKED_CONNECTIONS_MAX,
  passing: PASSING_CONNECTIONS_MAX,
}

export interface Slot {
  /** Counts it as another kind from now on; false when there are as many as may be, and nothing is changed. */
  move(kind: SlotKind): boolean
  /** Any number of times. */
  release(): void
}

type Ready = (slot: Slot | null) => void

interface Waiting {
  ready: Ready
  timer: NodeJS.Timeout
}

export class OriginSlots {
  /** Requests that found no place in time. */
  refused = 0
  private readonly max: Record<SlotKind, number>
  private readonly used: Record<SlotKind, number> = { filling: 0, held: 0, parked: 0, passing: 0 }
  private readonly queues: Record<SlotKind, Waiting[]> = { filling: [], held: [], parked: [], passing: [] }

  constructor(fillingMax: number) {
    this.max = { filling: fillingMax, ...SLOTS_MAX }
  }

  /** All kinds together. */
  get total(): number {
    return Object.values(this.max).reduce((sum, max) => sum + max, 0)
  }

  /** Calls back with a slot, at once if one is free; with null when there is none in time, or too many wait. */
  take(kind: SlotKind, ready: Ready): void {
    const queue = this.queues[kind]
    if (this.used[kind] < this.max[kind]) ready(this.slot(kind))
    else if (queue.length >= ORIGIN_WAITING_MAX) {
      this.refused++
      ready(null)
    } else {
      const giveUp = () => {
        queue.splice(queue.indexOf(waiting), 1)
        this.refused++
        ready(null)
      }
      const waiting = { ready, timer: setTimeout(giveUp, ORIGIN_WAIT_MS).unref() }
      queue.push(waiting)
    }
  }

  maxOf(kind: SlotKind): number {
    return this.max[kind]
  }

  usedOf(kind: SlotKind): number {
    return this.used[kind]
  }

  waitingOf(kind: SlotKind): number {
    return this.queues[kind].length
  }

  private slot(first: SlotKind): Slot {
    let kind: SlotKind | null = first
    this.used[first]++
    return {
      move: (to) => {
        if (kind === null || kind === to) return true
        if (this.used[to] >= this.max[to]) return false
        const from = kind
        kind = to
        this.used[to]++
        this.free(from)
        return true
      },
      release: () => {
        if (kind === null) return
        const from = kind
        kind = null
        this.free(from)
      },
    }
  }

  private free(kind: SlotKind): void {
    this.used[kind]--
    const next = this.queues[kind].shift()
    if (next === undefined) return
    clearTimeout(next.timer)
    next.ready(this.slot(kind))
  }
}
