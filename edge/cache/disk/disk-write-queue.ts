// Slices on their way to disk, a few at a time and bounded in bytes. Of two for one name the newer is written
// last; until a slice is written it is served from here.
import type { Background } from '../../../src/background.ts'
import { DISK_WRITES_AT_ONCE, DISK_WRITE_QUEUE_BYTES_MAX } from '../../limits.ts'
import type { ObjectMeta } from '../object-meta.ts'
import { sliceName } from '../object-meta.ts'

export interface PendingWrite {
  readonly meta: ObjectMeta
  readonly index: number
  readonly body: Buffer
}

export class WriteQueue {
  private readonly background: Background
  private readonly write: (pending: PendingWrite) => Promise<void>
  private readonly undo: (pending: PendingWrite) => Promise<void>
  /** The newest of each name. */
  private readonly pending = new Map<string, PendingWrite>()
  private readonly queue: string[] = []
  private readonly running = new Map<string, { pending: PendingWrite; ended: Promise<void> }>()
  private bytes = 0
  private idle: (() => void)[] = []

  /** `undo` is told of a write that was done though its slice was removed meanwhile. */
  constructor(
    background: Background,
    write: (pending: PendingWrite) => Promise<void>,
    undo: (pending: PendingWrite) => Promise<void>,
  ) {
    this.background = background
    this.write = write
    this.undo = undo
  }

  /** False when the queue is full: the slice is not kept. */
  add(pending: PendingWrite): boolean {
    const name = sliceName(pending.meta.key, pending.index)
    const before = this.pending.get(name)
    const replaced =
      before === undefined || this.running.get(name)?.pending === before ? 0 : before.body.length
    if (this.bytes - replaced + pending.body.length > DISK_WRITE_QUEUE_BYTES_MAX) return false
    this.bytes += pending.body.length - replaced
    this.pending.set(name, pending)
    // One that runs is followed by this one; one that waits has its place.
    if (before === undefined) this.queue.push(name)
    this.pump()
    return true
  }

  find(key: string, index: number): PendingWrite | undefined {
    return this.pending.get(sliceName(key, index))
  }

  /** Not wanted any more. Resolves when it is not being written either, or that has been undone. */
  async remove(key: string, index: number): Promise<void> {
    const name = sliceName(key, index)
    const pending = this.pending.get(name)
    const running = this.running.get(name)
    this.pending.delete(name)
    if (pending !== undefined && running?.pending !== pending) this.bytes -= pending.body.length
    await running?.ended
  }

  get queuedBytes(): number {
    return this.bytes
  }

  /** Resolves when every write is done. */
  async done(): Promise<void> {
    if (this.running.size > 0) await new Promise<void>((resolve) => this.idle.push(resolve))
  }

  private pump(): void {
    while (this.running.size < DISK_WRITES_AT_ONCE) {
      const name = this.queue.shift()
      if (name === undefined) break
      const pending = this.pending.get(name)
      if (pending === undefined || this.running.has(name)) continue
      const ended = this.run(name, pending)
      this.running.set(name, { pending, ended })
      this.background('write slice', ended)
    }
    if (this.running.size === 0) for (const resolve of this.idle.splice(0)) resolve()
  }

  private async run(name: string, pending: PendingWrite): Promise<void> {
    try {
      await this.write(pending)
      if (!this.pending.has(name)) await this.undo(pending)
    } finally {
      this.running.delete(name)
      this.bytes -= pending.body.length
      const newest = this.pending.get(name)
      if (newest === pending) this.pending.delete(name)
      else if (newest !== undefined) this.queue.push(name)
      this.pump()
    }
  }
}
