// One edge a cache directory. The lock is the kernel's, on a file, so it goes with the process however that
// ends and is never stale; SQLite is the way to it, since Node has no call of its own for file locks.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../../../src/errors.ts'
import type { Logger } from '../../../src/log.ts'

const LOCK = 'lock'
const HOLDER = 'lock-holder'
/** SQLITE_BUSY: somebody else holds the lock. */
const BUSY = 5

export interface DirectoryLock {
  release(): void
}

/** Throws when another edge, or this one by another name, uses the directory. */
export function lockDirectory(directory: string, log: Logger): DirectoryLock {
  const database = new DatabaseSync(path.join(directory, LOCK), { timeout: 0 })
  try {
    // Held until the database is closed. Nothing is ever written to it.
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === BUSY) {
      throw new Error(`is used by another edge${holderOf(directory)}`, { cause: error })
    }
    // A file system without locks: nothing says that somebody else is there.
    log.warn(
      { directory, err: messageOf(error) },
      'cannot lock the cache directory: no other edge may use it',
    )
    return { release() {} }
  }
  writeFileSync(path.join(directory, HOLDER), `${process.pid}\n`)
  return { release: () => database.close() }
}

function holderOf(directory: string): string {
  try {
    const pid = readFileSync(path.join(directory, HOLDER), 'utf8').trim()
    return /^\d+$/.test(pid) ? `, process ${pid}` : ''
  } catch {
    return ''
  }
}
