// What is on its way in virtual time: taken in the step in which it is due, in the order in which it was sent.
import { STEP_MS } from './virtual-clock.ts'

export class Mailbox<T> {
  readonly #due = new Map<number, T[]>()

  post(item: T, atMs: number): void {
    const step = Math.ceil(atMs / STEP_MS)
    const items = this.#due.get(step)
    if (items === undefined) this.#due.set(step, [item])
    else items.push(item)
  }

  /** What is due by now; to be asked at every step. */
  take(nowMs: number): readonly T[] {
    const step = Math.round(nowMs / STEP_MS)
    const items = this.#due.get(step) ?? []
    this.#due.delete(step)
    return items
  }
}
