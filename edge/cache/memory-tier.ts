// The memory tier: whole slices by name, the least recently used go first, bounded by bytes.
import { LRUCache } from 'lru-cache'
import type { ObjectMeta } from './object-meta.ts'
import { sliceName } from './object-meta.ts'

export interface MemorySlice {
  readonly meta: ObjectMeta
  readonly body: Buffer
}

/** What an entry costs besides its body and head text: keys, objects, the map's own slots. */
const ENTRY_OVERHEAD_BYTES = 1024

export class MemoryTier {
  private readonly slices: LRUCache<string, MemorySlice>
  readonly bytesMax: number
  /** A longer entry is never taken. */
  private readonly entryBytesMax: number

  constructor(bytesMax: number) {
    this.bytesMax = Math.max(1, bytesMax)
    this.entryBytesMax = Math.max(1, Math.floor(bytesMax / 4))
    this.slices = new LRUCache({
      maxSize: this.bytesMax,
      maxEntrySize: this.entryBytesMax,
      sizeCalculation: ({ meta, body }) => entryBytes(meta, body.length),
    })
  }

  get bytes(): number {
    return this.slices.calculatedSize
  }

  get(key: string, index: number): MemorySlice | undefined {
    return this.slices.get(sliceName(key, index))
  }

  /** Whether a slice of this length is ever kept. */
  takes(meta: ObjectMeta, bodyBytes: number): boolean {
    return entryBytes(meta, bodyBytes) <= this.entryBytesMax
  }

  set(meta: ObjectMeta, index: number, body: Buffer): void {
    this.slices.set(sliceName(meta.key, index), { meta, body })
  }

  /** Without its first slice an object is gone. */
  delete(key: string, index: number): void {
    this.slices.delete(sliceName(key, index))
  }

  /** New head for an object whose first slice is here (after a 304); `isBody` judges by the head which that has. */
  refresh(meta: ObjectMeta, isBody: (stored: ObjectMeta) => boolean): void {
    const slice = this.slices.peek(meta.key)
    if (slice !== undefined && isBody(slice.meta)) this.slices.set(meta.key, { meta, body: slice.body })
  }
}

function entryBytes(meta: ObjectMeta, bodyBytes: number): number {
  return bodyBytes + meta.fields.text.length + ENTRY_OVERHEAD_BYTES
}
