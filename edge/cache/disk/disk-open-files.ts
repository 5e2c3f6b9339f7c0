// Slice files that are open, with their heads decoded: a slice that is asked for again costs no open, no
// parse and no check, only the reads of its body. Bounded; a file in use is closed by its last reader.
import { LRUCache } from 'lru-cache'
import { OPEN_FILES_MAX } from '../../limits.ts'
import { closeQuietly } from '../file-io.ts'
import type { ObjectMeta } from '../object-meta.ts'

/** An open slice file whose head was checked. */
export interface OpenFile {
  readonly fd: number
  readonly meta: ObjectMeta
  readonly bodyAt: number
  readonly bodyBytes: number
}

/** `retired` tells whether the name stands for another file by now: what is wrong with this one is not wrong with that. */
export type LoadFile = (retired: () => boolean) => Promise<OpenFile | undefined>

/** An open file in somebody's hands. */
export interface HeldFile extends OpenFile {
  /** To be called once. */
  release(): void
}

interface Kept {
  readonly file: OpenFile
  users: number
  /** No longer what its name stands for: closed when nobody reads it. */
  retired: boolean
}

interface Opening {
  promise: Promise<Kept | undefined>
  users: number
  retired: boolean
}

export class OpenFiles {
  private readonly kept = new LRUCache<string, Kept>({
    max: OPEN_FILES_MAX,
    dispose: (kept) => {
      kept.retired = true
      closeUnused(kept)
    },
  })
  private readonly openings = new Map<string, Opening>()
  /** Files whose heads are being written. */
  private readonly changing = new Map<string, Promise<unknown>>()
  private closed = false

  /** The file of this name, opened by `load` unless it is open. Whoever asks meanwhile waits for the same load. */
  async hold(name: string, load: LoadFile): Promise<HeldFile | undefined> {
    for (let change = this.changing.get(name); change !== undefined; change = this.changing.get(name)) {
      // oxlint-disable-next-line no-await-in-loop -- there may be another by then
      await change.catch(() => {})
    }
    let kept = this.kept.get(name)
    if (kept !== undefined) kept.users++
    else {
      const opening = this.openings.get(name) ?? this.open(name, load)
      opening.users++
      kept = await opening.promise
    }
    return kept === undefined ? undefined : hold(kept)
  }

  /** Changes the head of a file while nobody opens it: who comes after reads the new one. Never rejects by itself. */
  async change<T>(name: string, work: () => Promise<T>): Promise<T> {
    for (;;) {
      const before = this.changing.get(name) ?? this.openings.get(name)?.promise
      if (before === undefined) break
      // oxlint-disable-next-line no-await-in-loop -- what has begun meanwhile is waited for too
      await before.catch(() => {})
    }
    this.retire(name)
    const changed = work()
    this.changing.set(name, changed)
    try {
      return await changed
    } finally {
      this.changing.delete(name)
    }
  }

  /** The name stands for another file from now on, or for none. */
  retire(name: string): void {
    this.kept.delete(name)
    const opening = this.openings.get(name)
    if (opening === undefined) return
    opening.retired = true
    this.openings.delete(name)
  }

  close(): void {
    this.closed = true
    this.kept.clear()
  }

  private open(name: string, load: LoadFile): Opening {
    const opening: Opening = {
      users: 0,
      retired: false,
      promise: Promise.resolve(undefined),
    }
    opening.promise = load(() => opening.retired).then(
      (file) => {
        this.forget(name, opening)
        if (file === undefined) return undefined
        // Replaced or removed meanwhile: whoever reads the old one now would bring it back.
        if (opening.retired || this.closed) {
          closeQuietly(file.fd)
          return undefined
        }
        const kept = { file, users: opening.users, retired: false }
        this.kept.set(name, kept)
        return kept
      },
      (error: unknown) => {
        this.forget(name, opening)
        throw error
      },
    )
    this.openings.set(name, opening)
    return opening
  }

  private forget(name: string, opening: Opening): void {
    if (this.openings.get(name) === opening) this.openings.delete(name)
  }
}

function hold(kept: Kept): HeldFile {
  let released = false
  return {
    ...kept.file,
    release() {
      if (released) return
      released = true
      kept.users--
      closeUnused(kept)
    },
  }
}

function closeUnused(kept: Kept): void {
  if (kept.retired && kept.users === 0) closeQuietly(kept.file.fd)
}
