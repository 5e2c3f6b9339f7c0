// Brings the slices that a start finds on disk into the index, batch after batch: the next one is asked for
// when requests have had their turn.
import { Worker } from 'node:worker_threads'
import { setImmediate as turn } from 'node:timers/promises'
import type { IndexedSlice } from './disk-index.ts'
import type { ScanBatch, ScanRequest } from './disk-scan.ts'

/** Beside this file, as source or as built. */
const SCAN = new URL(`disk-scan${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

export interface Found {
  readonly slices: number
  readonly strangers: number
}

export class Rebuild {
  private readonly worker: Worker
  private answer = Promise.withResolvers<ScanBatch | undefined>()
  private closed = false

  constructor(request: ScanRequest) {
    this.worker = new Worker(SCAN, { workerData: request, name: 'cache scan' })
    this.worker.on('message', (batch: ScanBatch) => this.answer.resolve(batch))
    this.worker.on('error', (error) => this.answer.reject(error))
    this.worker.on('exit', () => this.answer.resolve(undefined))
  }

  /** Hands over each slice, the last to be evicted first; undefined when closed before the end. */
  async run(take: (slice: IndexedSlice) => void): Promise<Found | undefined> {
    let slices = 0
    while (!this.closed) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      this.worker.postMessage('next')
      const batch = await this.answer.promise
      if (batch === undefined) break
      for (const slice of slicesOf(batch)) take(slice)
      slices += batch.bytes.length
      if (batch.done) return { slices, strangers: batch.strangers }
      this.answer = Promise.withResolvers()
      await turn()
    }
    return undefined
  }

  async close(): Promise<void> {
    this.closed = true
    await this.worker.terminate()
  }
}

function* slicesOf(batch: ScanBatch): Generator<IndexedSlice> {
  for (let i = 0; i < batch.bytes.length; i++) {
    const [a = 0, b = 0, c = 0] = batch.ids.subarray(3 * i, 3 * i + 3)
    yield { id: { a, b, c }, bytes: batch.bytes[i] ?? 0, state: batch.states[i] ?? 0 }
  }
}
