// A cache directory at start and at the end: its folders, the lock, what a crash left unfinished, and the mark
// that a clean stop leaves.
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import path from 'node:path'
import { systemCode } from '../../../src/errors.ts'
import type { Logger } from '../../../src/log.ts'
import type { SliceIndex } from './disk-index.ts'
import { lockDirectory } from './disk-lock.ts'
import type { DirectoryLock } from './disk-lock.ts'
import { SNAPSHOT_HEAD_BYTES, currentBoot, decodeSnapshotHead, saveSnapshot } from './disk-snapshot.ts'
import type { SnapshotHead } from './disk-snapshot.ts'

/** Where files are written before they get their names. */
export const TEMPORARY = 'tmp'
const CLEAN_MARK = 'clean-stop'

export interface PreparedDirectory {
  readonly lock: DirectoryLock
  /** No edge has used it before. */
  readonly fresh: boolean
  /** All bodies were verified before the last stop, which was clean. */
  readonly trusted: boolean
  /** When the last clean stop was. */
  readonly stoppedMs: number
  /** The index of the last clean stop. */
  readonly snapshot: string | null
}

/** Throws when the directory cannot be read or written, or another edge uses it. */
export function prepareDirectory(directory: string, log: Logger): PreparedDirectory {
  mkdirSync(directory, { recursive: true })
  accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK)
  const lock = lockDirectory(directory, log)
  try {
    const existing = new Set(readdirSync(directory))
    for (let folder = 0; folder < 256; folder++) {
      const name = folder.toString(16).padStart(2, '0')
      if (!existing.has(name)) mkdirSync(path.join(directory, name))
    }
    const temporary = path.join(directory, TEMPORARY)
    rmSync(temporary, { recursive: true, force: true })
    mkdirSync(temporary)
    // Writing is tried here, so that a read-only directory stops the start and not the first fill.
    closeSync(openSync(path.join(temporary, 'probe'), 'w'))
    rmSync(path.join(temporary, 'probe'))
    const fresh = !existing.has(TEMPORARY)
    const mark = takeMark(directory)
    const trusted = fresh || (mark !== null && mark.head.unverified === 0)
    return { lock, fresh, trusted, stoppedMs: mark?.stoppedMs ?? 0, snapshot: mark?.file ?? null }
  } catch (error) {
    lock.release()
    throw error
  }
}

interface CleanMark {
  readonly file: string
  readonly head: SnapshotHead
  readonly stoppedMs: number
}

/** Moves the mark away, so that it counts once. null when the last stop was not clean, or of another boot. */
function takeMark(directory: string): CleanMark | null {
  const file = path.join(directory, TEMPORARY, CLEAN_MARK)
  try {
    renameSync(path.join(directory, CLEAN_MARK), file)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
  const fd = openSync(file, 'r')
  try {
    const head = Buffer.alloc(SNAPSHOT_HEAD_BYTES)
    readSync(fd, head, 0, head.length, 0)
    const { size, mtimeMs } = fstatSync(fd)
    const decoded = decodeSnapshotHead(head, size, currentBoot())
    return decoded === undefined ? null : { file, head: decoded, stoppedMs: mtimeMs }
  } finally {
    closeSync(fd)
  }
}

export function markClean(directory: string, index: SliceIndex): void {
  const temporary = path.join(directory, TEMPORARY, CLEAN_MARK)
  saveSnapshot(temporary, index)
  renameSync(temporary, path.join(directory, CLEAN_MARK))
}
