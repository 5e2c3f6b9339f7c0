// After a 304 the head of a stored object is new and its body is not (RFC 9111 §4.3.4): the head is written over
// the old one in the file of the first slice, which has room for a somewhat longer one. A write that a crash cut
// fails the head's CRC, and the slice is fetched again.
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { Background } from '../../../src/background.ts'
import { DISK_WRITES_AT_ONCE, HEAD_UPDATES_MAX, STORED_HEAD_BYTES_MAX } from '../../limits.ts'
import type { ObjectMeta } from '../object-meta.ts'
import type { DiskDirectory } from './disk-directory.ts'
import { fileNameOf } from './disk-name.ts'
import type { SliceId } from './disk-name.ts'
import { PRELUDE_BYTES, decodeHead, decodePrelude, encodeHeadAgain } from './disk-record.ts'

export interface HeadUpdate {
  readonly meta: ObjectMeta
  /** Whether the body under this head is the one that the new head is of. */
  readonly isBody: (stored: ObjectMeta) => boolean
}

/** Heads to be written, the newest of each object, a few at a time. */
export class HeadUpdates {
  private readonly background: Background
  private readonly write: (update: HeadUpdate) => Promise<void>
  private readonly pending = new Map<string, HeadUpdate>()
  private running = 0
  private idle: (() => void)[] = []

  constructor(background: Background, write: (update: HeadUpdate) => Promise<void>) {
    this.background = background
    this.write = write
  }

  /** With as many as may wait it is left out: after a restart the object is asked for once more than it need be. */
  add(update: HeadUpdate): void {
    const { key } = update.meta
    if (this.pending.size >= HEAD_UPDATES_MAX && !this.pending.has(key)) return
    this.pending.set(key, update)
    this.pump()
  }

  /** What is stored under this key is another object now, or none. */
  forget(key: string): void {
    this.pending.delete(key)
  }

  /** Resolves when every head is written. */
  async done(): Promise<void> {
    if (this.running > 0) await new Promise<void>((resolve) => this.idle.push(resolve))
  }

  private pump(): void {
    for (const [key, update] of this.pending) {
      if (this.running === DISK_WRITES_AT_ONCE) return
      this.pending.delete(key)
      this.running++
      this.background('write head', this.run(update))
    }
    if (this.running === 0) for (const resolve of this.idle.splice(0)) resolve()
  }

  private async run(update: HeadUpdate): Promise<void> {
    try {
      await this.write(update)
    } finally {
      this.running--
      this.pump()
    }
  }
}

/**
 * Writes the head into the file that holds the first slice of the same body. Gives the body when the head does
 * not fit: the slice has to be stored anew.
 */
export async function rewriteHead(
  directory: DiskDirectory,
  id: SliceId,
  update: HeadUpdate,
): Promise<Buffer | undefined> {
  return directory.files.change(fileNameOf(id), async () => {
    let handle: FileHandle | undefined
    try {
      handle = await open(directory.fileOf(id), 'r+')
      return await rewrite(handle, update)
    } catch (error) {
      directory.failed(handle === undefined ? 'read' : 'write', id, error)
      return undefined
    } finally {
      await handle?.close().catch(() => {})
    }
  })
}

async function rewrite(handle: FileHandle, { meta, isBody }: HeadUpdate): Promise<Buffer | undefined> {
  const prelude = decodePrelude(await readAt(handle, 0, PRELUDE_BYTES))
  // Whatever else is wrong with it is found, and said, by whoever reads it.
  if (prelude === undefined || prelude.index !== 0 || prelude.headBytes > STORED_HEAD_BYTES_MAX)
    return undefined
  const stored = decodeHead(await readAt(handle, PRELUDE_BYTES, prelude.headBytes), prelude)
  if (stored?.key !== meta.key || !isBody(stored)) return undefined
  // Written since by another answer.
  if (stored.receivedMs > meta.receivedMs) return undefined
  const record = encodeHeadAgain(meta, prelude)
  if (record === undefined && prelude.bodyBytes <= meta.sliceBytes)
    return readAt(handle, PRELUDE_BYTES + prelude.headBytes, prelude.bodyBytes)
  if (record === undefined) return undefined
  await handle.write(record, 0, record.length, 0)
  return undefined
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}
