// One cache directory: a file a slice under `<2 hex>/`, bounded by bytes, least recently used first out.
// Lookup goes by file name and needs no index, so a restarted edge serves its cache at once; the index, for
// eviction only, is rebuilt in the background. Errors are counted; too many and the directory is left alone.
import {
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  rmSync,
  writeFileSync,
  accessSync,
  constants,
} from 'node:fs'
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { LRUCache } from 'lru-cache'
import type { Background } from '../../src/background.ts'
import { messageOf, systemCode } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import { DISK_ERRORS_MAX } from '../limits.ts'

export interface DirectorySettings {
  path: string
  size: number
}

const CLEAN_MARK = 'clean-stop'
const TEMPORARY = 'tmp'

interface IndexEntry {
  bytes: number
  /** Its body's CRC was seen to hold, or is known to: written by this process or before a clean stop. */
  verified: boolean
}

export class DiskDirectory {
  readonly path: string
  readonly bytesMax: number
  /** Slices of this directory are no longer read or written. */
  quarantined = false
  private readonly index: LRUCache<string, IndexEntry>
  private indexComplete = false
  /** False after a crash: each file is then verified at its first read. */
  private readonly trusted: boolean
  private errors = 0
  private temporaries = 0
  private closed = false
  private readonly log: Logger
  private readonly background: Background

  /** Makes the directory ready; throws when it cannot be read or written. */
  constructor(settings: DirectorySettings, log: Logger, background: Background) {
    this.path = settings.path
    this.bytesMax = settings.size
    this.log = log
    this.background = background
    this.trusted = prepare(settings.path)
    this.index = new LRUCache({
      maxSize: Math.max(1, settings.size),
      // After a crash files may be empty; the map takes no entry of size 0.
      sizeCalculation: (entry) => Math.max(1, entry.bytes),
      // After, for unlink() asks whether the name has come back: during `dispose` it is still there.
      disposeAfter: (_entry, name, reason) => {
        if (reason === 'evict') background('evict slice', this.unlink(name))
      },
    })
    background('rebuild cache index', this.rebuildIndex())
  }

  get bytes(): number {
    return this.index.calculatedSize
  }

  /** False only when the slice is certainly not here. */
  mayHave(name: string): boolean {
    return !this.quarantined && (!this.indexComplete || this.index.has(name))
  }

  fileOf(name: string): string {
    return path.join(this.path, name.slice(0, 2), name)
  }

  needsVerifying(name: string): boolean {
    return !(this.index.peek(name)?.verified ?? this.trusted)
  }

  /** The slice was read and is good: note its use. */
  used(name: string, bytes: number): void {
    const entry = this.index.get(name)
    if (entry === undefined) this.index.set(name, { bytes, verified: true })
    else entry.verified = true
  }

  async write(name: string, parts: readonly Uint8Array[]): Promise<boolean> {
    if (this.quarantined || this.closed) return false
    const bytes = parts.reduce((sum, part) => sum + part.length, 0)
    if (bytes > this.bytesMax) return false
    const temporary = path.join(this.path, TEMPORARY, String(this.temporaries++))
    try {
      const handle = await open(temporary, 'wx')
      try {
        await writeFully(handle, parts)
      } finally {
        await handle.close()
      }
      await rename(temporary, this.fileOf(name))
    } catch (error) {
      this.failed('write', name, error)
      await rm(temporary, { force: true }).catch(() => {})
      return false
    }
    this.index.set(name, { bytes, verified: true })
    return true
  }

  async remove(name: string): Promise<void> {
    this.index.delete(name)
    await this.unlink(name)
  }

  /** Bytes that turned out wrong, or a file of another format: gone, and said. */
  async discard(name: string, reason: string): Promise<void> {
    this.log.warn({ directory: this.path, slice: name, reason }, 'discarded a bad cache file')
    this.index.delete(name)
    await this.unlink(name)
  }

  /** Counts an I/O error. A file that is not there is no error. */
  failed(operation: string, name: string, error: unknown): void {
    const code = systemCode(error)
    if (code === 'ENOENT' && operation === 'read') {
      this.index.delete(name)
      return
    }
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      this.makeRoom()
      return
    }
    // Out of descriptors: says nothing of the disk.
    if (code === 'EMFILE' || code === 'ENFILE') return
    this.errors++
    this.log.warn({ directory: this.path, operation, err: messageOf(error) }, 'cache directory error')
    if (this.errors >= DISK_ERRORS_MAX && !this.quarantined) {
      this.quarantined = true
      this.log.error({ directory: this.path, errors: this.errors }, 'cache directory is no longer used')
    }
  }

  /** After the last write: the next start may trust what is here. */
  close(): void {
    this.closed = true
    if (this.quarantined) return
    try {
      writeFileSync(path.join(this.path, CLEAN_MARK), '')
    } catch (error) {
      this.log.warn(
        { directory: this.path, err: messageOf(error) },
        'cannot mark the cache directory as clean',
      )
    }
  }

  /** The file system is full before the configured size is: give back a twentieth. */
  private makeRoom(): void {
    const target = this.index.calculatedSize * 0.95
    while (this.index.size > 0 && this.index.calculatedSize > target) {
      const name = this.index.rkeys().next().value
      if (name === undefined) break
      this.index.delete(name)
      this.background('make room', this.unlink(name))
    }
  }

  private async unlink(name: string): Promise<void> {
    // Written again meanwhile: the file is the new one's.
    if (this.index.has(name)) return
    await rm(this.fileOf(name), { force: true })
  }

  private async rebuildIndex(): Promise<void> {
    const found: { name: string; bytes: number; usedMs: number }[] = []
    for (const folder of folders()) {
      if (this.closed) return
      // One folder at a time: the scan must not crowd out requests' reads.
      // oxlint-disable-next-line no-await-in-loop
      const names = await readdir(path.join(this.path, folder))
      for (const name of names) {
        // oxlint-disable-next-line no-await-in-loop
        const file = await stat(path.join(this.path, folder, name)).catch(() => undefined)
        if (file?.isFile() === true) found.push({ name, bytes: file.size, usedMs: file.mtimeMs })
      }
    }
    found.sort((a, b) => a.usedMs - b.usedMs)
    for (const { name, bytes } of found) {
      if (!this.index.has(name)) this.index.set(name, { bytes, verified: this.trusted })
    }
    this.indexComplete = true
    this.log.info({ directory: this.path, slices: found.length, bytes: this.bytes }, 'cache index rebuilt')
  }
}

/** A file system that has just become full takes a part and reports no error: that comes with the rest. */
async function writeFully(handle: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  let rest = [...parts]
  while (rest.length > 0) {
    // oxlint-disable-next-line no-await-in-loop -- what one call left is for the next
    let { bytesWritten } = await handle.writev(rest)
    rest = rest.flatMap((part) => {
      const skip = Math.min(bytesWritten, part.length)
      bytesWritten -= skip
      return skip === part.length ? [] : [part.subarray(skip)]
    })
  }
}

function* folders(): Generator<string> {
  for (let i = 0; i < 256; i++) yield i.toString(16).padStart(2, '0')
}

/** Creates the folders, drops unfinished files, takes the clean mark; says whether it was there. */
function prepare(directory: string): boolean {
  mkdirSync(directory, { recursive: true })
  accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK)
  const existing = new Set(readdirSync(directory))
  for (const folder of folders()) if (!existing.has(folder)) mkdirSync(path.join(directory, folder))
  rmSync(path.join(directory, TEMPORARY), { recursive: true, force: true })
  mkdirSync(path.join(directory, TEMPORARY))
  // Writing is tried here, so that a read-only directory stops the start and not the first fill.
  closeSync(openSync(path.join(directory, TEMPORARY, 'probe'), 'w'))
  rmSync(path.join(directory, TEMPORARY, 'probe'))
  const clean = existing.has(CLEAN_MARK)
  rmSync(path.join(directory, CLEAN_MARK), { force: true })
  return clean || !existing.has(TEMPORARY)
}
