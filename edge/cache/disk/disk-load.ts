// Opens the file of a slice and checks it: that it is one, of this object and number, as long as it says, and
// after an unclean stop that its body is what was written. What does not hold is removed, and a miss.
import { crc32 } from 'node:zlib'
import { systemCode } from '../../../src/errors.ts'
import { PRELUDE_BYTES, decodeHead, decodePrelude } from './disk-record.ts'
import type { Prelude } from './disk-record.ts'
import { READ_BUFFER_BYTES, STORED_HEAD_BYTES_MAX } from '../../limits.ts'
import type { BufferPool } from '../buffer-pool.ts'
import type { DiskDirectory } from './disk-directory.ts'
import type { SliceId } from './disk-name.ts'
import type { OpenFile } from './disk-open-files.ts'
import { closeQuietly, fileState, openForReading, readFully } from '../file-io.ts'

export interface WantedSlice {
  readonly key: string
  readonly index: number
  readonly id: SliceId
}

export async function loadSliceFile(
  directory: DiskDirectory,
  wanted: WantedSlice,
  pool: BufferPool,
  retired: () => boolean,
): Promise<OpenFile | undefined> {
  let fd: number | undefined
  const buffer = pool.take()
  try {
    fd = await openForReading(directory.fileOf(wanted.id))
    const file = await readHead(fd, wanted, buffer)
    const problem = typeof file === 'string' ? file : await bodyProblem(file, directory, wanted.id, buffer)
    if (retired()) return undefined
    if (typeof file === 'string' || problem !== null) {
      directory.discard(wanted.id, problem ?? 'unreadable')
      return undefined
    }
    directory.setVerified(wanted.id)
    fd = undefined // now the open file's
    return file
  } catch (error) {
    // Another was written meanwhile, and must not be taken for lost with this one.
    if (retired()) return undefined
    if (systemCode(error) === 'EISDIR') directory.discard(wanted.id, 'not a file')
    else directory.failed('read', wanted.id, error)
    return undefined
  } finally {
    if (fd !== undefined) closeQuietly(fd)
    pool.give(buffer)
  }
}

type Checked = OpenFile & Pick<Prelude, 'bodyCrc'> & { ctimeMs: number }

/** The open file, or what is wrong with it. */
async function readHead(fd: number, wanted: WantedSlice, buffer: Buffer): Promise<Checked | string> {
  const got = await readFully(fd, buffer, 0, PRELUDE_BYTES + STORED_HEAD_BYTES_MAX, 0)
  const prelude = decodePrelude(buffer.subarray(0, got))
  if (prelude === undefined) return 'not a slice'
  const bodyAt = PRELUDE_BYTES + prelude.headBytes
  const meta = decodeHead(buffer.subarray(PRELUDE_BYTES, Math.min(got, bodyAt)), prelude)
  if (meta === undefined) return 'head is damaged'
  if (prelude.index !== wanted.index || meta.key !== wanted.key) return 'not a slice of this object'
  const { size, ctimeMs } = await fileState(fd)
  if (size !== bodyAt + prelude.bodyBytes) return 'not as long as it says'
  return { fd, meta, bodyAt, bodyBytes: prelude.bodyBytes, bodyCrc: prelude.bodyCrc, ctimeMs }
}

async function bodyProblem(
  file: Checked,
  directory: DiskDirectory,
  id: SliceId,
  buffer: Buffer,
): Promise<string | null> {
  if (!directory.needsVerifying(id, file.ctimeMs)) return null
  let crc = 0
  for (let position = 0; position < file.bodyBytes; position += READ_BUFFER_BYTES) {
    const wanted = Math.min(READ_BUFFER_BYTES, file.bodyBytes - position)
    const got = await readFully(file.fd, buffer, 0, wanted, file.bodyAt + position)
    if (got !== wanted) return 'not as long as it says'
    crc = crc32(buffer.subarray(0, wanted), crc)
  }
  return crc === file.bodyCrc ? null : 'body does not match its CRC'
}
