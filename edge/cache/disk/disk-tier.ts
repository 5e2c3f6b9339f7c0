// The disk tier: slices spread over the cache directories by hash, in proportion to their sizes. Writes queue
// behind a bound and never delay a reply; until a slice is written it is served from the queue.
import type { Background } from '../../../src/background.ts'
import { EdgewardError, messageOf } from '../../../src/errors.ts'
import type { Logger } from '../../../src/log.ts'
import { STORED_HEAD_BYTES_MAX } from '../../limits.ts'
import type { BufferPool } from '../buffer-pool.ts'
import { DiskDirectory } from './disk-directory.ts'
import type { DirectorySettings } from './disk-directory.ts'
import { HeadUpdates, rewriteHead } from './disk-head-updates.ts'
import type { HeadUpdate } from './disk-head-updates.ts'
import { loadSliceFile } from './disk-load.ts'
import { fileNameOf, sliceIdOf } from './disk-name.ts'
import type { SliceId } from './disk-name.ts'
import type { HeldFile } from './disk-open-files.ts'
import { PRELUDE_BYTES, encodeRecordHead } from './disk-record.ts'
import { spread } from './disk-spread.ts'
import { WriteQueue } from './disk-write-queue.ts'
import type { PendingWrite } from './disk-write-queue.ts'
import { readFully } from '../file-io.ts'
import type { ObjectMeta } from '../object-meta.ts'

/** An open slice file whose head was checked. The holder closes it. */
export interface DiskSlice {
  readonly meta: ObjectMeta
  readonly length: number
  /** Fills the buffer from `position` of the body; gives the bytes read. */
  read(buffer: Buffer, position: number, length: number): Promise<number>
  close(): void
}

export class DiskTier {
  /** Slices not kept: the write queue was full, the disk was, or their head as JSON too long. */
  dropped = 0
  private readonly directories: readonly DiskDirectory[]
  private readonly pool: BufferPool
  private readonly writes: WriteQueue
  private readonly heads: HeadUpdates

  /** Throws what is wrong with a directory that cannot be used; `opening` is told which one is tried. */
  constructor(
    settings: readonly DirectorySettings[],
    pool: BufferPool,
    log: Logger,
    background: Background,
    opening: (index: number) => void,
  ) {
    this.pool = pool
    this.writes = new WriteQueue(
      background,
      (pending) => this.write(pending),
      ({ meta, index }) => this.removeFile(sliceIdOf(meta.key, index)),
    )
    this.heads = new HeadUpdates(background, (update) => this.updateHead(update))
    this.directories = settings.map((directory, index) => {
      opening(index)
      return new DiskDirectory(directory, log, background)
    })
  }

  get configured(): boolean {
    return this.directories.length > 0
  }

  get degraded(): boolean {
    return this.directories.some((directory) => directory.degraded)
  }

  /** Nothing is on disk from an earlier life. */
  get fresh(): boolean {
    return this.directories.every((directory) => directory.fresh)
  }

  get bytes(): number {
    return this.directories.reduce((sum, directory) => sum + directory.bytes, 0)
  }

  get slices(): number {
    return this.directories.reduce((sum, directory) => sum + directory.slices, 0)
  }

  /** Waiting to be written: near DISK_WRITE_QUEUE_BYTES_MAX slices are dropped. */
  get queuedBytes(): number {
    return this.writes.queuedBytes
  }

  mayHave(key: string, index: number): boolean {
    if (this.directories.length === 0) return false
    if (this.writes.find(key, index) !== undefined) return true
    const id = sliceIdOf(key, index)
    return this.directoryOf(id)?.mayHave(id) === true
  }

  /** A slice still in the write queue. */
  waiting(key: string, index: number): { meta: ObjectMeta; body: Buffer } | undefined {
    return this.writes.find(key, index)
  }

  store(meta: ObjectMeta, index: number, body: Buffer): void {
    if (this.directories.length === 0) return
    if (index === 0) this.heads.forget(meta.key)
    if (!this.writes.add({ meta, index, body })) this.dropped++
  }

  /** A stored object has a new head, and the same body where `isBody` says so of the head that it has. */
  refresh(meta: ObjectMeta, isBody: (stored: ObjectMeta) => boolean): void {
    if (!this.mayHave(meta.key, 0)) return
    const waiting = this.writes.find(meta.key, 0)
    if (waiting === undefined) this.heads.add({ meta, isBody })
    else if (isBody(waiting.meta)) this.store(meta, 0, waiting.body)
  }

  /** Resolves when the slice is gone for good. */
  async remove(key: string, index = 0): Promise<void> {
    if (index === 0) this.heads.forget(key)
    const undone = this.writes.remove(key, index)
    await this.removeFile(sliceIdOf(key, index))
    await undone
  }

  /** Opens a slice; undefined when it is not here or not good, which it then no longer is. */
  async open(key: string, index: number): Promise<DiskSlice | undefined> {
    const id = sliceIdOf(key, index)
    // Once more: it may have been replaced, by a newer one, while it was opened.
    for (let attempt = 0; attempt < 2; attempt++) {
      const directory = this.directoryOf(id)
      if (directory?.mayHave(id) !== true) return undefined
      // oxlint-disable-next-line no-await-in-loop
      const file = await directory.files.hold(fileNameOf(id), (retired) =>
        loadSliceFile(directory, { key, index, id }, this.pool, retired),
      )
      if (file !== undefined) return openSlice(file, id, directory)
    }
    return undefined
  }

  /** Resolves when every queued write is done or dropped. */
  async close(): Promise<void> {
    await this.heads.done()
    await this.writes.done()
    for (const directory of this.directories) await directory.close()
  }

  private async removeFile(id: SliceId): Promise<void> {
    await this.directoryOf(id)?.remove(id)
  }

  /** undefined when none is in use. */
  private directoryOf(id: SliceId): DiskDirectory | undefined {
    return spread(id.c, this.directories)
  }

  private async updateHead(update: HeadUpdate): Promise<void> {
    const { meta } = update
    const id = sliceIdOf(meta.key, 0)
    const directory = this.directoryOf(id)
    // One that waits to be written is newer.
    if (directory?.mayHave(id) !== true || this.writes.find(meta.key, 0) !== undefined) return
    const body = await rewriteHead(directory, id, update)
    if (body !== undefined) this.store(meta, 0, body)
  }

  private async write({ meta, index, body }: PendingWrite): Promise<void> {
    const id = sliceIdOf(meta.key, index)
    const head = encodeRecordHead(meta, index, body)
    const directory = head.length > PRELUDE_BYTES + STORED_HEAD_BYTES_MAX ? undefined : this.directoryOf(id)
    if ((await directory?.write(id, [head, body])) !== true) this.dropped++
  }
}

function openSlice(file: HeldFile, id: SliceId, directory: DiskDirectory): DiskSlice {
  return {
    meta: file.meta,
    length: file.bodyBytes,
    async read(buffer, position, length) {
      // Whoever reads a slice reads its first byte once; a client that takes it in small ranges counts once too.
      if (position === 0) directory.used(id)
      try {
        const got = await readFully(file.fd, buffer, 0, length, file.bodyAt + position)
        if (got !== length) directory.discard(id, 'has become shorter')
        return got
      } catch (error) {
        directory.failed('read', id, error)
        throw new EdgewardError('disk', 'self', messageOf(error), { retry: true, cause: error })
      }
    },
    close: () => file.release(),
  }
}
