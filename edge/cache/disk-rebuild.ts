// Brings the slices that a start finds on disk into the index, batch after batch: the next one is asked for
// when requests have had their turn.
import { Worker } from 'node:worker_threads'
import { setImmediate as turn } from 'node:timers/promises'
import { once } from 'node:events'
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
  private closed = false

  constructor(request: ScanRequest) {
    // A tracer that runs in this process is none of the thread's business.
    this.worker = new Worker(SCAN, { workerData: request, name: 'cache scan', execArgv: [] })
  }

  /** Hands over each slice, the last to be evicted first; undefined when closed before the end. */
  async run(take: (slice: IndexedSlice) => void): Promise<Found | undefined> {
    let slices = 0
    for (;;) {
      if (this.closed) return undefined
      const batch = await this.next()
      if (batch === undefined) return undefined
      for (const slice of slicesOf(batch)) take(slice)
      slices += batch.bytes.length
      if (batch.done) return { slices, strangers: batch.strangers }
      await turn()
    }
  }

  async close(): Promise<void> {
    this.closed = true
    await this.worker.terminate()
  }

  private async next(): Promise<ScanBatch | undefined> {
    const over = new AbortController()
    try {
      const message = once(this.worker, 'message', { signal: over.signal })
      const exit = once(this.worker, 'exit', { signal: over.signal }).then(() => undefined)
      this.worker.postMessage('next')
      const answer = await Promise.race([message, exit])
      // What disk-scan.ts sends.
      return answer === undefined ? undefined : (answer[0] as ScanBatch)
    } finally {
      over.abort()
    }
  }
}

function* slicesOf(batch: ScanBatch): Generator<IndexedSlice> {
  for (let i = 0; i < batch.bytes.length; i++) {
    const [a = 0, b = 0, c = 0] = batch.ids.subarray(3 * i, 3 * i + 3)
    yield { id: { a, b, c }, bytes: batch.bytes[i] ?? 0, state: batch.states[i] ?? 0 }
  }
}
