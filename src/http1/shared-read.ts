// Accepted sockets that are all read into one buffer. Node's own way takes a fresh 64 KiB buffer for every
// read; for requests of a few hundred bytes that is a fifth of what a hit costs (docs/decisions/0005).
import { Socket } from 'node:net'
import type { OnReadOpts } from 'node:net'
import { KEPT_VIEW_BYTES } from './limits.ts'

const SHARED = Buffer.allocUnsafeSlow(64 * 1024)
/** Its first bytes, by their number: most requests are short, and a view for each of them would be made anew. */
const VIEWS: (Buffer | undefined)[] = Array.from({ length: KEPT_VIEW_BYTES }, () => undefined)

function viewOf(length: number): Buffer {
  if (length >= VIEWS.length) return SHARED.subarray(0, length)
  return (VIEWS[length] ??= SHARED.subarray(0, length))
}

/** True for bytes that are only good until the next read of any socket. */
export function isShared(bytes: Buffer): boolean {
  return bytes.buffer === SHARED.buffer
}

/**
 * The same connection as a socket whose bytes come to `onBytes`, in the shared buffer, instead of as 'data'.
 * `accepted` comes from a server with `pauseOnConnect`, so that nothing of it was read yet; it is used up.
 * undefined when the connection is gone already.
 */
export function readShared(accepted: Socket, onBytes: (bytes: Buffer) => void): Socket | undefined {
  const handle = takeHandle(accepted)
  if (handle === undefined) return undefined
  const onread: OnReadOpts = {
    buffer: SHARED,
    callback: (length) => {
      onBytes(viewOf(length))
      return true
    },
  }
  return new SocketOfHandle({ handle, allowHalfOpen: true, onread })
}

/**
 * How node:net itself makes the sockets of a server. Documented are `onread`, for sockets that connect, and
 * `handle`, for one that is bound; a test would tell if the two no longer went together.
 */
const SocketOfHandle: new (options: object) => Socket = Socket

/** Where node:net keeps a socket's connection. */
const HANDLE = '_handle'

function takeHandle(accepted: Socket): object | undefined {
  if (!(HANDLE in accepted)) throw new Error('this Node keeps the handle of a socket elsewhere')
  const handle = accepted[HANDLE]
  if (typeof handle !== 'object' || handle === null) return undefined
  accepted[HANDLE] = null
  // Its server stops counting it; the connection itself lives on in the handle.
  accepted.destroy()
  return handle
}
