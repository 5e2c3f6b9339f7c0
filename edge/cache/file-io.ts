// The few file calls of the hot path, by descriptor: a FileHandle object a read would be garbage a read.
import { close, fstat, open, read } from 'node:fs'
import { open as openHandle } from 'node:fs/promises'

export function openForReading(file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(file, 'r', (error, fd) => (error === null ? resolve(fd) : reject(error)))
  })
}

/** Fills `length` bytes at `offset` of the buffer from `position`; gives fewer only at the end of the file. */
export async function readFully(
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  let done = 0
  while (done < length) {
    // oxlint-disable-next-line no-await-in-loop -- a short read is followed by its rest
    const count = await readOnce(fd, buffer, offset + done, length - done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}

function readOnce(
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, offset, length, position, (error, count) =>
      error === null ? resolve(count) : reject(error),
    )
  })
}

export function closeQuietly(fd: number): void {
  close(fd, () => {})
}

/** Size, and when name or content were last changed. */
export function fileState(fd: number): Promise<{ size: number; ctimeMs: number }> {
  return new Promise((resolve, reject) => {
    fstat(fd, (error, stats) => (error === null ? resolve(stats) : reject(error)))
  })
}

/** Makes a file that is not there yet of these parts. */
export async function writeFile(file: string, parts: readonly Uint8Array[]): Promise<void> {
  const handle = await openHandle(file, 'wx')
  try {
    let rest = [...parts]
    while (rest.length > 0) {
      // A file system that has just become full takes a part and reports no error: that comes with the rest.
      let { bytesWritten } = await handle.writev(rest)
      rest = rest.flatMap((part) => {
        const skip = Math.min(bytesWritten, part.length)
        bytesWritten -= skip
        return skip === part.length ? [] : [part.subarray(skip)]
      })
    }
  } finally {
    await handle.close()
  }
}
