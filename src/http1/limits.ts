// Bounds of the public HTTP/1.1 listeners, and what happens when each is reached.

/** A request head, start line and all: beyond it the connection is handed over, which answers 431. */
export const HEAD_BYTES_MAX = 16 * 1024
/** Fields in a head: beyond it likewise. */
export const HEAD_FIELDS_MAX = 100
/** From the first byte of a head (or the accept) to its end: then 408 and close. */
export const HEAD_TIMEOUT_MS = 10_000
/** Between two requests: then close. */
export const IDLE_TIMEOUT_MS = 75_000
/** A client must take what is written to it within this, plus the time its bytes take at the floor below: then reset. */
export const WRITE_TIMEOUT_MS = 30_000
/** Slowest a client may read, in bytes a second, once the above has passed. */
const READ_RATE_MIN = 8 * 1024
/** How long a client may take for so many bytes. */
export function writeTimeoutMs(bytes: number): number {
  return WRITE_TIMEOUT_MS + (bytes / READ_RATE_MIN) * 1000
}
/** Unread bytes kept while a reply is under way, made or being read: beyond it the socket is paused. */
export const PIPELINE_BYTES_MAX = HEAD_BYTES_MAX
/** Bodies up to this leave in one write with their head; copying them is cheaper than a second buffer in the kernel call. */
export const SMALL_BODY_BYTES = 16 * 1024
/** Reads shorter than this have a view each that is made once; a longer one is given its own. */
export const KEPT_VIEW_BYTES = 1024
/** Small replies that wait for the end of a turn of the event loop, and their bytes: beyond either they leave at once. */
export const TURN_REPLIES_MAX = 32
export const TURN_BYTES = 128 * 1024
/** Requests that wait for their turn on a connection of node:http: beyond it the connection is cut. */
export const PIPELINED_MAX = 100
