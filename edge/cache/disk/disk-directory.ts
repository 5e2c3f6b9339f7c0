// One cache directory: a file a slice under `<2 hex>/`, bounded by bytes and by what the file system must
// keep free. Lookup goes by file name and needs no index, so a restarted edge serves its cache at once; the
// index, for eviction only, is rebuilt in the background. Too many errors, and the directory is left alone.
import { rename, rm, stat } from 'node:fs/promises'
import { statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import path from 'node:path'
import type { Background } from '../../../src/background.ts'
import { messageOf, systemCode } from '../../../src/errors.ts'
import type { Logger } from '../../../src/log.ts'
import { DISK_ERRORS_MAX, DISK_SLICES_MAX, DISK_WATCH_MS } from '../../limits.ts'
import { SliceIndex } from './disk-index.ts'
import type { IndexedSlice } from './disk-index.ts'
import { fileNameOf, parseFileName } from './disk-name.ts'
import type { SliceId } from './disk-name.ts'
import { OpenFiles } from './disk-open-files.ts'
import { TEMPORARY, markClean, prepareDirectory } from './disk-prepare.ts'
import type { PreparedDirectory } from './disk-prepare.ts'
import { Rebuild } from './disk-rebuild.ts'
import { Removals } from './disk-removals.ts'
import { FreeSpace } from './disk-space.ts'
import { writeFile } from '../file-io.ts'

export interface DirectorySettings {
  path: string
  size: number
  /** Bytes that the file system must keep free; undefined for the default. */
  free?: number | undefined
}

type Identity = Pick<Stats, 'dev' | 'ino'>

export class DiskDirectory {
  readonly path: string
  readonly bytesMax: number
  /** Slices of this directory are no longer read or written. */
  quarantined = false
  readonly files = new OpenFiles()
  private index = new SliceIndex(DISK_SLICES_MAX)
  private indexComplete = false
  private readonly prepared: PreparedDirectory
  /** Which directory this is, whatever is at its path later. */
  private readonly identity: Identity
  private readonly removals: Removals
  private readonly space: FreeSpace
  private readonly rebuild: Rebuild
  private readonly watch: NodeJS.Timeout
  private errors = 0
  private temporaries = 0
  private closed = false
  private readonly log: Logger
  private readonly background: Background

  /** Makes the directory ready; throws when it cannot be used, or another edge uses it. */
  constructor(settings: DirectorySettings, log: Logger, background: Background) {
    this.path = settings.path
    this.bytesMax = settings.size
    this.log = log
    this.background = background
    this.prepared = prepareDirectory(settings.path, log)
    this.identity = statSync(settings.path)
    this.removals = new Removals(
      background,
      (name) => this.pathOf(name),
      (name) => this.hasName(name),
    )
    this.space = new FreeSpace(settings.path, settings.free, (bytes) => this.giveBack(bytes))
    const { snapshot } = this.prepared
    this.rebuild = new Rebuild({ directory: settings.path, snapshot, slicesMax: DISK_SLICES_MAX })
    background('rebuild cache index', this.rebuildIndex())
    this.watch = setInterval(() => background('watch cache directory', this.check()), DISK_WATCH_MS)
    this.watch.unref()
  }

  get bytes(): number {
    return this.index.bytes
  }

  /** Nothing can be in it from an earlier life. */
  get fresh(): boolean {
    return this.prepared.fresh
  }

  get slices(): number {
    return this.index.count
  }

  /** No longer used, or its file system is full of what is not ours to remove. */
  get degraded(): boolean {
    return this.quarantined || this.space.crowded
  }

  /** False only when the slice is certainly not here. */
  mayHave(id: SliceId): boolean {
    return !this.quarantined && (!this.indexComplete || this.index.has(id))
  }

  fileOf(id: SliceId): string {
    return this.pathOf(fileNameOf(id))
  }

  /** `ctimeMs`: of the file. What the last stop left verified is, as long as nobody has touched it since. */
  needsVerifying(id: SliceId, ctimeMs: number): boolean {
    const { trusted, stoppedMs } = this.prepared
    const state = this.index.verificationOf(id) ?? (trusted ? 'before' : 'no')
    return state === 'no' || (state === 'before' && ctimeMs > stoppedMs)
  }

  setVerified(id: SliceId): void {
    this.index.setVerified(id)
  }

  used(id: SliceId): void {
    this.index.hit(id)
  }

  /** False when the slice is not kept. */
  async write(id: SliceId, parts: readonly Uint8Array[]): Promise<boolean> {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0)
    if (this.quarantined || this.closed || bytes > this.bytesMax) return false
    if (!(await this.reserve(id, bytes))) return false
    const placed = await this.place(id, parts, bytes)
    this.space.written(bytes)
    if (!placed || this.quarantined) return false
    this.files.retire(fileNameOf(id))
    this.index.remove(id)
    this.makeRoomFor(bytes)
    this.index.add(id, bytes)
    return true
  }

  /** Resolves when the file is gone: no restart will find it. */
  async remove(id: SliceId): Promise<void> {
    if (this.quarantined) return
    this.index.remove(id)
    this.files.retire(fileNameOf(id))
    try {
      await rm(this.fileOf(id), { force: true })
    } catch (error) {
      this.failed('write', id, error)
    }
  }

  /** Bytes that turned out wrong, or a file of another format: gone, and said. */
  discard(id: SliceId, reason: string): void {
    this.log.warn({ directory: this.path, slice: fileNameOf(id), reason }, 'discarded a bad cache file')
    this.drop(id)
  }

  /** Counts an I/O error. A file that is not there is none, as long as the directory is. */
  failed(operation: 'read' | 'write', id: SliceId, error: unknown): void {
    if (this.quarantined || this.closed) return
    const code = systemCode(error)
    if (code === 'ENOENT') this.background('watch cache directory', this.check())
    if (code === 'ENOENT' && operation === 'read') {
      this.index.remove(id)
      return
    }
    // Out of descriptors: says nothing of the disk.
    if (code === 'EMFILE' || code === 'ENFILE') return
    this.errors++
    this.log.warn({ directory: this.path, operation, err: messageOf(error) }, 'cache directory error')
    // What could not be read once is not tried for ever.
    if (operation === 'read') this.drop(id)
    if (this.errors >= DISK_ERRORS_MAX) this.quarantine(`${this.errors} errors`)
  }

  /** After the last write: the next start may trust what is here. */
  async close(): Promise<void> {
    this.closed = true
    clearInterval(this.watch)
    this.removals.close()
    this.files.close()
    await this.rebuild.close()
    try {
      if (!this.quarantined && this.indexComplete) markClean(this.path, this.index)
    } catch (error) {
      const problem = { directory: this.path, err: messageOf(error) }
      this.log.warn(problem, 'cannot mark the cache directory as clean')
    }
    this.prepared.lock.release()
  }

  private async reserve(id: SliceId, bytes: number): Promise<boolean> {
    try {
      return await this.space.reserve(bytes)
    } catch (error) {
      this.failed('write', id, error)
      return false
    }
  }

  /** Writes the file under its name; makes room and tries again when there is none. */
  private async place(id: SliceId, parts: readonly Uint8Array[], bytes: number): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      const temporary = path.join(this.path, TEMPORARY, String(this.temporaries++))
      try {
        await writeFile(temporary, parts)
        await rename(temporary, this.fileOf(id))
        return true
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => {})
        const full = ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '')
        if (!full) this.failed('write', id, error)
        if (!full || attempt > 0 || (await this.giveBack(2 * bytes)) === 0) return false
      }
    }
  }

  private makeRoomFor(bytes: number): void {
    while (this.index.bytes + bytes > this.bytesMax || this.index.full) if (!this.evict()) return
  }

  /** Evicts that much, if there is that much, and waits until the files are gone. Gives the bytes evicted. */
  private async giveBack(bytes: number): Promise<number> {
    const before = this.index.bytes
    let evicted = 0
    while (evicted < bytes && this.evict()) evicted = before - this.index.bytes
    await this.removals.done()
    return evicted
  }

  private drop(id: SliceId): void {
    this.index.remove(id)
    this.removeFile(fileNameOf(id))
  }

  private evict(): boolean {
    const id = this.index.evict()
    if (id === undefined) return false
    this.removeFile(fileNameOf(id))
    return true
  }

  private removeFile(name: string): void {
    this.files.retire(name)
    this.removals.add(name)
  }

  private hasName(name: string): boolean {
    const id = parseFileName(name)
    return id !== undefined && this.index.has(id)
  }

  private pathOf(name: string): string {
    return path.join(this.path, name.slice(0, 2), name)
  }

  /** Is the directory still the one that was opened, and does the file system have the room it must? */
  private async check(): Promise<void> {
    if (this.quarantined || this.closed) return
    try {
      const { dev, ino } = await stat(this.path)
      if (dev !== this.identity.dev || ino !== this.identity.ino)
        this.quarantine('another directory is in its place')
      else await this.space.check()
    } catch (error) {
      if (!this.closed) this.quarantine(messageOf(error))
    }
  }

  private quarantine(reason: string): void {
    if (this.quarantined) return
    this.quarantined = true
    this.log.error({ directory: this.path, reason }, 'cache directory is no longer used')
    clearInterval(this.watch)
    this.removals.close()
    this.files.close()
    this.index = new SliceIndex(1)
  }

  private async rebuildIndex(): Promise<void> {
    const found = await this.rebuild.run((slice) => this.restore(slice))
    if (found === undefined || this.quarantined) return
    this.indexComplete = true
    this.log.info({ directory: this.path, ...found, bytes: this.bytes }, 'cache index rebuilt')
  }

  /** They come newest first: once the directory is full, the rest is what would have been evicted. */
  private restore(slice: IndexedSlice): void {
    if (this.quarantined || this.index.has(slice.id)) return
    if (this.index.bytes + slice.bytes > this.bytesMax || this.index.full) {
      this.removeFile(fileNameOf(slice.id))
    } else this.index.restore(slice)
  }
}
