// So many calls at once to one hook, so many that wait for one of them to end, in order; nobody waits without bound.
import { HOOK_CALLS_MAX, HOOK_WAITING_MAX } from '../limits.ts'

export class CallSlots {
  private running = 0
  private readonly waiting = new Set<(go: boolean) => void>()

  /** False: there is no room to wait, or the signal came first. After true, `release`. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    if (this.running < HOOK_CALLS_MAX) {
      this.running++
      return true
    }
    if (this.waiting.size >= HOOK_WAITING_MAX) return false
    return new Promise((resolve) => {
      const settle = (go: boolean) => {
        this.waiting.delete(settle)
        signal.removeEventListener('abort', giveUp)
        resolve(go)
      }
      const giveUp = () => settle(false)
      signal.addEventListener('abort', giveUp)
      this.waiting.add(settle)
    })
  }

  /** The slot passes to whoever has waited longest. */
  release(): void {
    for (const next of this.waiting) {
      next(true)
      return
    }
    this.running--
  }
}
