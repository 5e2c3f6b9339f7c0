// The disk tier: slices spread over the cache directories by hash of the key. Writes queue behind a bound
// and never delay a reply; until a slice is written it is served from the queue.
import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Background } from '../../src/background.ts'
import type { Logger } from '../../src/log.ts'
import {
  DISK_WRITES_AT_ONCE,
  DISK_WRITE_QUEUE_BYTES_MAX,
  READ_BUFFER_BYTES,
  STORED_HEAD_BYTES_MAX,
} from '../limits.ts'
import type { BufferPool } from './buffer-pool.ts'
import { DiskDirectory } from './disk-directory.ts'
import type { DirectorySettings } from './disk-directory.ts'
import { PRELUDE_BYTES, decodeHead, decodePrelude, encodeRecordHead } from './disk-record.ts'
import type { Prelude } from './disk-record.ts'
import { closeQuietly, openForReading, readFully } from './file-io.ts'
import type { ObjectMeta } from './object-meta.ts'
import { sliceName } from './object-meta.ts'

/** An open slice file whose head was checked. The holder closes it. */
export interface DiskSlice {
  readonly meta: ObjectMeta
  readonly length: number
  /** Fills the buffer from `position` of the body; gives the bytes read. */
  read(buffer: Buffer, position: number, length: number): Promise<number>
  close(): void
}

interface PendingWrite {
  readonly name: string
  readonly meta: ObjectMeta
  readonly index: number
  readonly body: Buffer
  /** Invalidated before it was written, or while it was. */
  removed: boolean
}

export class DiskTier {
  /** Slices not kept because the write queue was full, or their head as JSON too long. */
  dropped = 0
  private readonly directories: readonly DiskDirectory[]
  private readonly pool: BufferPool
  private readonly background: Background
  private readonly queue: PendingWrite[] = []
  private readonly pending = new Map<string, PendingWrite>()
  private pendingBytes = 0
  private writing = 0
  private idle: (() => void)[] = []

  /** Throws what is wrong with a directory that cannot be used; `opening` is told which one is tried. */
  constructor(
    settings: readonly DirectorySettings[],
    pool: BufferPool,
    log: Logger,
    background: Background,
    opening: (index: number) => void,
  ) {
    this.pool = pool
    this.background = background
    this.directories = settings.map((directory, index) => {
      opening(index)
      return new DiskDirectory(directory, log, background)
    })
  }

  get configured(): boolean {
    return this.directories.length > 0
  }

  get degraded(): boolean {
    return this.directories.some((directory) => directory.quarantined)
  }

  get bytes(): number {
    return this.directories.reduce((sum, directory) => sum + directory.bytes, 0)
  }

  mayHave(key: string, index: number): boolean {
    if (this.directories.length === 0) return false
    return this.pending.has(sliceName(key, index)) || this.directoryOf(key).mayHave(fileName(key, index))
  }

  /** A slice still in the write queue. */
  waiting(key: string, index: number): { meta: ObjectMeta; body: Buffer } | undefined {
    return this.pending.get(sliceName(key, index))
  }

  store(meta: ObjectMeta, index: number, body: Buffer): void {
    if (this.directories.length === 0) return
    if (this.pendingBytes + body.length > DISK_WRITE_QUEUE_BYTES_MAX) {
      this.dropped++
      return
    }
    const write: PendingWrite = { name: fileName(meta.key, index), meta, index, body, removed: false }
    this.pending.set(sliceName(meta.key, index), write)
    this.pendingBytes += body.length
    this.queue.push(write)
    this.pump()
  }

  /** Forgets an object's first slice, and with it the object. */
  async remove(key: string): Promise<void> {
    if (this.directories.length === 0) return
    const name = sliceName(key, 0)
    const queued = this.pending.get(name)
    if (queued !== undefined) queued.removed = true
    this.pending.delete(name)
    await this.directoryOf(key).remove(fileName(key, 0))
  }

  /** Opens a slice; undefined when it is not here or not good, which it then no longer is. */
  async open(key: string, index: number): Promise<DiskSlice | undefined> {
    if (this.directories.length === 0) return undefined
    const directory = this.directoryOf(key)
    const name = fileName(key, index)
    if (!directory.mayHave(name)) return undefined
    let fd: number | undefined
    try {
      fd = await openForReading(directory.fileOf(name))
      const slice = await this.readHead(fd, key, index, directory, name)
      if (slice !== undefined) fd = undefined // now the slice's
      return slice
    } catch (error) {
      directory.failed('read', name, error)
      return undefined
    } finally {
      if (fd !== undefined) closeQuietly(fd)
    }
  }

  /** Resolves when every queued write is done or dropped. */
  async close(): Promise<void> {
    if (this.writing > 0 || this.queue.length > 0) {
      await new Promise<void>((resolve) => this.idle.push(resolve))
    }
    for (const directory of this.directories) directory.close()
  }

  private async readHead(
    fd: number,
    key: string,
    index: number,
    directory: DiskDirectory,
    name: string,
  ): Promise<DiskSlice | undefined> {
    const buffer = this.pool.take()
    try {
      const got = await readFully(fd, buffer, 0, PRELUDE_BYTES + STORED_HEAD_BYTES_MAX, 0)
      const prelude = decodePrelude(buffer.subarray(0, got))
      const meta =
        prelude === undefined
          ? undefined
          : decodeHead(
              buffer.subarray(PRELUDE_BYTES, Math.min(got, PRELUDE_BYTES + prelude.headBytes)),
              prelude,
            )
      if (prelude === undefined || meta === undefined || prelude.index !== index || meta.key !== key) {
        await directory.discard(name, 'not a slice of this object')
        return undefined
      }
      const slice = openSlice(fd, meta, prelude)
      if (directory.needsVerifying(name) && !(await verifies(slice, prelude, buffer))) {
        await directory.discard(name, 'body does not match its CRC')
        return undefined
      }
      directory.used(name, PRELUDE_BYTES + prelude.headBytes + prelude.bodyBytes)
      return slice
    } finally {
      this.pool.give(buffer)
    }
  }

  private directoryOf(key: string): DiskDirectory {
    const directory =
      this.directories[this.directories.length === 1 ? 0 : spread(key, this.directories.length)]
    if (directory === undefined) throw new Error('no cache directory')
    return directory
  }

  private pump(): void {
    while (this.writing < DISK_WRITES_AT_ONCE) {
      const next = this.queue.shift()
      if (next === undefined) break
      this.writing++
      this.background('write slice', this.write(next))
    }
    if (this.writing === 0 && this.queue.length === 0) {
      for (const resolve of this.idle.splice(0)) resolve()
    }
  }

  private async write(write: PendingWrite): Promise<void> {
    try {
      if (write.removed) return
      const head = encodeRecordHead(write.meta, write.index, write.body)
      if (head.length > PRELUDE_BYTES + STORED_HEAD_BYTES_MAX) {
        this.dropped++
        return
      }
      const directory = this.directoryOf(write.meta.key)
      await directory.write(write.name, [head, write.body])
      // oxlint-disable-next-line typescript/no-unnecessary-condition -- set while the write was under way
      if (write.removed) await directory.remove(write.name)
    } finally {
      const name = sliceName(write.meta.key, write.index)
      if (this.pending.get(name) === write) this.pending.delete(name)
      this.pendingBytes -= write.body.length
      this.writing--
      this.pump()
    }
  }
}

/** 128 bits of SHA-256, and the slice's number. */
function fileName(key: string, index: number): string {
  return `${hash('sha256', key, 'hex').slice(0, 32)}-${index}`
}

function spread(key: string, count: number): number {
  return Number.parseInt(hash('sha256', key, 'hex').slice(32, 40), 16) % count
}

function openSlice(fd: number, meta: ObjectMeta, prelude: Prelude): DiskSlice {
  const bodyAt = PRELUDE_BYTES + prelude.headBytes
  return {
    meta,
    length: prelude.bodyBytes,
    read: (buffer, position, length) => readFully(fd, buffer, 0, length, bodyAt + position),
    close: () => closeQuietly(fd),
  }
}

async function verifies(slice: DiskSlice, prelude: Prelude, buffer: Buffer): Promise<boolean> {
  let crc = 0
  for (let position = 0; position < slice.length; position += READ_BUFFER_BYTES) {
    const wanted = Math.min(READ_BUFFER_BYTES, slice.length - position)
    // oxlint-disable-next-line no-await-in-loop
    if ((await slice.read(buffer, position, wanted)) !== wanted) return false
    crc = crc32(buffer.subarray(0, wanted), crc)
  }
  return crc === prelude.bodyCrc
}
