// When something was purged last, as counts: hard, it is gone; soft, it must be asked for again before it is used.
export interface PurgeMarks {
  hard: number
  soft: number
}

/** gone: as if it had never been here. stale: to be revalidated, and of use where no upstream answers. */
export type PurgeVerdict = 'valid' | 'stale' | 'gone'

export function mark(marks: PurgeMarks, soft: boolean, count: number): void {
  if (soft) marks.soft = Math.max(marks.soft, count)
  else marks.hard = Math.max(marks.hard, count)
}

/** Of an object that was asked for when the count was `asOf`. */
export function verdictOf({ hard, soft }: PurgeMarks, asOf: number): PurgeVerdict {
  if (hard > asOf) return 'gone'
  return soft > asOf ? 'stale' : 'valid'
}

const RANK = { valid: 0, stale: 1, gone: 2 } as const

export function worse(a: PurgeVerdict, b: PurgeVerdict): PurgeVerdict {
  return RANK[a] >= RANK[b] ? a : b
}

/** Marks by text, bounded: beyond it the older half is taken out and given back, for a coarser mark. */
export class MarkMap {
  readonly #marks = new Map<string, PurgeMarks>()
  readonly #sizeMax: number
  /** The latest of all counts. */
  newest = 0

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  get size(): number {
    return this.#marks.size
  }

  /** Gives what no longer fits: null, mostly. */
  mark(text: string, soft: boolean, count: number): PurgeMarks | null {
    const marks = this.#marks.get(text) ?? { hard: 0, soft: 0 }
    // The one that was purged last stands last.
    this.#marks.delete(text)
    this.#marks.set(text, marks)
    mark(marks, soft, count)
    this.newest = Math.max(this.newest, count)
    return this.#marks.size > this.#sizeMax ? this.#takeOlderHalf() : null
  }

  verdictOf(text: string, asOf: number): PurgeVerdict {
    if (this.newest <= asOf) return 'valid'
    const marks = this.#marks.get(text)
    return marks === undefined ? 'valid' : verdictOf(marks, asOf)
  }

  entries(): IterableIterator<[string, PurgeMarks]> {
    return this.#marks.entries()
  }

  #takeOlderHalf(): PurgeMarks {
    const folded = { hard: 0, soft: 0 }
    for (const [text, { hard, soft }] of this.#marks) {
      if (this.#marks.size <= this.#sizeMax / 2) break
      this.#marks.delete(text)
      mark(folded, false, hard)
      mark(folded, true, soft)
    }
    return folded
  }
}
