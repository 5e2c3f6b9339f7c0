// The cache as the request flow sees it: heads of objects by key, slices by number, memory before disk.
import { LRUCache } from 'lru-cache'
import {
  KEYS_BYTES_MAX,
  LIVE_LIFETIME_MS,
  METAS_BYTES_MAX,
  READ_BUFFER_BYTES,
  VARIANTS_MAX,
} from '../limits.ts'
import type { BufferPool } from './buffer-pool.ts'
import type { DiskSlice, DiskTier } from './disk/disk-tier.ts'
import { ageOf } from './freshness.ts'
import type { MemoryTier } from './memory-tier.ts'
import { isHeld, isSameBody, purgeVerdictOf } from '../purge/held.ts'
import { PurgeRules } from '../purge/purge-rules.ts'
import type { ObjectMeta } from './object-meta.ts'
import { bytesOfMeta, createSign, isSignFor, sliceName, variantEnd, variantNumber } from './object-meta.ts'

const NO_BODY = Buffer.alloc(0)
/** What an entry of a map costs besides its key's text: about. */
const NAME_BYTES = 100

interface Variants {
  readonly numbers: Set<number>
  /** Where the language alone tells them apart: Content-Language → the end of the variant's key. */
  readonly byLanguage: Map<string, string>
}

export class Cache {
  readonly memory: MemoryTier
  readonly disk: DiskTier
  readonly pool: BufferPool
  /** What was purged: nothing of it is found. */
  readonly purges: PurgeRules
  private readonly sliceBytes: number
  /** Heads whose bodies are on disk, in flight, or spread over several slices. */
  private readonly metas = new LRUCache<string, ObjectMeta>({
    maxSize: METAS_BYTES_MAX,
    sizeCalculation: bytesOfMeta,
  })
  /** Primary key → its variants. */
  private readonly variants = new LRUCache<string, Variants>({
    maxSize: KEYS_BYTES_MAX,
    sizeCalculation: ({ numbers, byLanguage }, key) =>
      key.length + NAME_BYTES * (1 + numbers.size + byLanguage.size),
  })
  /**
   * Slices read from disk once, by name, with their bytes: at the second read they move to memory. It looks
   * back over as many bytes as memory holds; what comes again later would push out what is wanted sooner.
   */
  private readonly readOnce: LRUCache<string, number>

  constructor(
    memory: MemoryTier,
    disk: DiskTier,
    pool: BufferPool,
    sliceBytes: number,
    purges: PurgeRules = new PurgeRules(),
  ) {
    this.purges = purges
    this.memory = memory
    this.disk = disk
    this.pool = pool
    this.sliceBytes = sliceBytes
    this.readOnce = new LRUCache({
      maxSize: memory.bytesMax,
      // A million tiny ones must not cost more than they hold.
      sizeCalculation: (bytes, name) => bytes + name.length + NAME_BYTES,
    })
  }

  /** The object's head if memory knows it: by itself, or with the first slice. */
  findMeta(key: string): ObjectMeta | undefined {
    const meta = this.metas.get(key) ?? this.memory.get(key, 0)?.meta
    return meta === undefined || isHeld(meta, this.purges) ? meta : this.purged(meta)
  }

  /** The object's head from disk; undefined when it is not there. */
  async loadMeta(key: string): Promise<ObjectMeta | undefined> {
    if (!this.disk.mayHave(key, 0)) return undefined
    const slice = await this.disk.open(key, 0)
    slice?.close()
    // Fetched meanwhile for somebody else: what is on disk may be older, or not there yet.
    const known = this.findMeta(key)
    if (known !== undefined || slice === undefined) return known
    // Cut to another length than today's slices: of no use.
    if (slice.meta.sliceBytes !== this.sliceBytes) return undefined
    const meta = isHeld(slice.meta, this.purges) ? slice.meta : this.purged(slice.meta)
    if (meta !== undefined) this.metas.set(key, meta)
    return meta
  }

  /**
   * The sign at a primary key that says which request fields select a variant: the one that stands there if it
   * names the same fields, else a new one.
   */
  signFor(
    key: string,
    selecting: readonly string[],
    { unique, responseMs: nowMs, asOf }: { unique: string; responseMs: number; asOf: number },
  ): ObjectMeta {
    const known = this.findMeta(key)
    if (known !== undefined && isSignFor(known, selecting)) return known
    const sign = createSign(key, selecting, unique, nowMs, this.sliceBytes, asOf)
    this.metas.set(key, sign)
    this.memory.delete(key, 0)
    this.variants.delete(key)
    this.disk.store(sign, 0, NO_BODY)
    return sign
  }

  /** False when the object has as many variants as are kept. */
  admitsVariant(primaryKey: string, key: string): boolean {
    if (key === primaryKey) return true
    const variants = this.variants.get(primaryKey) ?? { numbers: new Set(), byLanguage: new Map() }
    const variant = variantNumber(key)
    if (variants.numbers.has(variant)) return true
    if (variants.numbers.size >= VARIANTS_MAX) return false
    variants.numbers.add(variant)
    // Again: it has grown.
    this.variants.set(primaryKey, variants)
    return true
  }

  /** An admitted variant that is in this language. */
  noteLanguage(primaryKey: string, language: string, key: string): void {
    const variants = this.variants.get(primaryKey)
    if (
      variants === undefined ||
      (variants.byLanguage.size >= VARIANTS_MAX && !variants.byLanguage.has(language))
    )
      return
    variants.byLanguage.set(language, variantEnd(key))
    this.variants.set(primaryKey, variants)
  }

  /** The key of a variant in this language. */
  variantIn(primaryKey: string, language: string): string | undefined {
    const end = this.variants.get(primaryKey)?.byLanguage.get(language)
    return end === undefined ? undefined : primaryKey + end
  }

  /** The object, or the sign to its variants, is gone for every later look-up. */
  async invalidate(key: string): Promise<void> {
    this.metas.delete(key)
    this.memory.delete(key, 0)
    this.variants.delete(key)
    await this.disk.remove(key)
  }

  setMeta(meta: ObjectMeta): void {
    this.metas.set(meta.key, meta)
  }

  /** Forgets a head whose body never came. */
  dropMeta(meta: ObjectMeta): void {
    if (this.metas.peek(meta.key) === meta) this.metas.delete(meta.key)
  }

  /**
   * The same body, newly found fresh. A slice of this version that a purge has removed from under the head lies about
   * until it is overwritten: that one is another body, and keeps the head by which it is gone.
   */
  refresh(meta: ObjectMeta): void {
    const isBody = (stored: ObjectMeta) => isSameBody(meta, stored, this.purges)
    this.metas.set(meta.key, meta)
    this.memory.refresh(meta, isBody)
    this.disk.refresh(meta, isBody)
  }

  /** A slice of this version in memory or on its way to disk. */
  findSlice(meta: ObjectMeta, index: number): Buffer | undefined {
    const inMemory = this.memory.get(meta.key, index)
    if (inMemory !== undefined && isSameBody(meta, inMemory.meta, this.purges)) return inMemory.body
    const waiting = this.disk.waiting(meta.key, index)
    return waiting !== undefined && isSameBody(meta, waiting.meta, this.purges) ? waiting.body : undefined
  }

  /** The slice on disk: the whole of it, now in memory, when it is read for the second time; else open to read. */
  async openSlice(meta: ObjectMeta, index: number): Promise<Buffer | DiskSlice | undefined> {
    if (!this.disk.mayHave(meta.key, index)) return undefined
    const slice = await this.disk.open(meta.key, index)
    if (slice === undefined) return undefined
    if (!isSameBody(meta, slice.meta, this.purges) || slice.meta.sliceBytes !== meta.sliceBytes) {
      slice.close()
      return undefined
    }
    if (!this.memory.takes(meta, slice.length)) return slice
    const name = sliceName(meta.key, index)
    if (!this.readOnce.has(name)) {
      this.readOnce.set(name, slice.length)
      return slice
    }
    this.readOnce.delete(name)
    return this.promote(meta, index, slice)
  }

  store(meta: ObjectMeta, index: number, body: Buffer): void {
    // Errors stay in memory: whoever asks for names at random must not fill the disk with a file for each.
    // So do live playlists: each reload of each rendition would be a file, and of no use a moment later.
    const passing = meta.status >= 400 || meta.playlist?.media?.live === true || meta.memoryOnly === true
    const toDisk = !passing && this.disk.configured
    if (toDisk) this.disk.store(meta, index, body)
    const toMemory = this.disk.degraded || (isLive(meta) && meta.ahead !== true)
    if (!toDisk || toMemory) this.memory.set(meta, index, body)
    // An older version must not take up room that nobody will ask for.
    else this.memory.delete(meta.key, index)
  }

  /** What is left of a head that was purged: one that must be asked for again, or none. */
  private purged(meta: ObjectMeta): ObjectMeta | undefined {
    const { key } = meta
    if (purgeVerdictOf(meta, this.purges) === 'stale') {
      const stale = staleOf(meta, this.purges.count)
      this.metas.set(key, stale)
      return stale
    }
    this.metas.delete(key)
    this.memory.delete(key, 0)
    this.variants.delete(key)
    return undefined
  }

  private async promote(meta: ObjectMeta, index: number, slice: DiskSlice): Promise<Buffer | undefined> {
    const body = Buffer.allocUnsafeSlow(slice.length)
    try {
      for (let at = 0; at < slice.length; at += READ_BUFFER_BYTES) {
        const wanted = Math.min(READ_BUFFER_BYTES, slice.length - at)
        // oxlint-disable-next-line no-await-in-loop
        if ((await slice.read(body.subarray(at, at + wanted), at, wanted)) !== wanted) return undefined
      }
    } finally {
      slice.close()
    }
    this.memory.set(meta, index, body)
    return body
  }
}

/** Its life ended with the purge, whose count is about its time; from then on it may stand in for an error as long as ever. */
function staleOf(meta: ObjectMeta, count: number): ObjectMeta {
  const livedMs = Math.min(meta.lifetimeMs, ageOf(meta, count))
  const staleIfErrorMs = meta.staleIfErrorMs === 0 ? 0 : meta.staleIfErrorMs + livedMs
  return { ...meta, lifetimeMs: 0, staleWhileRevalidateMs: 0, staleIfErrorMs, held: { upTo: count } }
}

function isLive(meta: ObjectMeta): boolean {
  if (meta.lifetimeMs <= LIVE_LIFETIME_MS) return true
  return /mpegurl/i.test(meta.fields.get('content-type') ?? '')
}
