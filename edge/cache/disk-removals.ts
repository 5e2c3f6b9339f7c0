// Files on their way out, a few at a time: making room for one slice may take thousands, and reads of
// others must not wait behind them.
import { rm } from 'node:fs/promises'
import type { Background } from '../../src/background.ts'
import { DISK_REMOVALS_AT_ONCE } from '../limits.ts'

export class Removals {
  private readonly queue: string[] = []
  private readonly background: Background
  private readonly stillWanted: (file: string) => boolean
  private running = 0
  private idle: (() => void)[] = []
  private closed = false

  /** `stillWanted`: the file has been written anew meanwhile. */
  constructor(background: Background, stillWanted: (file: string) => boolean) {
    this.background = background
    this.stillWanted = stillWanted
  }

  add(file: string): void {
    if (this.closed) return
    this.queue.push(file)
    if (this.running >= DISK_REMOVALS_AT_ONCE) return
    this.running++
    this.background('remove slices', this.work())
  }

  /** Resolves when nothing is left to remove. */
  async done(): Promise<void> {
    if (this.running > 0) await new Promise<void>((resolve) => this.idle.push(resolve))
  }

  /** What is still here stays on disk, and is found at the next start. */
  close(): void {
    this.closed = true
    this.queue.length = 0
  }

  private async work(): Promise<void> {
    try {
      for (let file = this.queue.pop(); file !== undefined; file = this.queue.pop()) {
        if (!this.stillWanted(file)) await rm(file, { force: true })
      }
    } finally {
      this.running--
      if (this.running === 0) for (const resolve of this.idle.splice(0)) resolve()
    }
  }
}
