// Read buffers that are used again: a fresh one a read cost a prototype two thirds of its throughput.
import { READ_BUFFERS_IDLE_MAX, READ_BUFFER_BYTES } from '../limits.ts'

export class BufferPool {
  private readonly idle: Buffer[] = []

  take(): Buffer {
    return this.idle.pop() ?? Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)
  }

  /** Only when nobody reads from it any more: its bytes are about to change. */
  give(buffer: Buffer): void {
    if (this.idle.length < READ_BUFFERS_IDLE_MAX) this.idle.push(buffer)
  }
}
