// Files on their way out, a few at a time: making room for one slice may take thousands, and reads of
// others must not wait behind them.
import { rm } from 'node:fs/promises'
import type { Background } from '../../../src/background.ts'
import { DISK_REMOVALS_AT_ONCE } from '../../limits.ts'

export class Removals {
  private readonly queue: string[] = []
  private readonly background: Background
  private readonly fileOf: (name: string) => string
  private readonly isBack: (name: string) => boolean
  private running = 0
  private idle: (() => void)[] = []
  private closed = false

  /** `isBack`: a slice of this name has been written since; the file is the new one's. */
  constructor(background: Background, fileOf: (name: string) => string, isBack: (name: string) => boolean) {
    this.background = background
    this.fileOf = fileOf
    this.isBack = isBack
  }

  add(name: string): void {
    if (this.closed) return
    this.queue.push(name)
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
      for (let name = this.queue.pop(); name !== undefined; name = this.queue.pop()) {
        if (!this.isBack(name)) await rm(this.fileOf(name), { force: true, recursive: true })
      }
    } finally {
      this.running--
      if (this.running === 0) for (const resolve of this.idle.splice(0)) resolve()
    }
  }
}
