// Bounds of HTTP/2 on the public listeners, and what happens when each is reached.
import { HEAD_BYTES_MAX, HEAD_FIELDS_MAX, HEAD_TIMEOUT_MS, IDLE_TIMEOUT_MS } from '../http1/limits.ts'

/** Requests at a time on one connection: further ones are refused (REFUSED_STREAM). */
export const STREAMS_MAX = 100
/** Fields of a request, uncompressed, with 32 bytes for each (RFC 9113 §10.5.1): beyond it 431, or a reset. */
export const HEADER_LIST_BYTES_MAX = HEAD_BYTES_MAX
/** Fields of a request with its four pseudo-fields: beyond it the stream is reset. */
export const HEADER_PAIRS_MAX = HEAD_FIELDS_MAX + 4
/** Requests that a client may take back at once, and then each second: beyond it the connection is closed. */
export const RESET_BURST = 300
export const RESETS_PER_SECOND = 30
/** Parameters in one SETTINGS frame: beyond it the connection is closed. */
export const SETTINGS_MAX = 32
/** Frames that make no sense, and requests that were refused: beyond it the connection is closed. */
export const INVALID_FRAMES_MAX = 100
export const REJECTED_STREAMS_MAX = 100
/** What is given to node:http2 at once of a reply; the next piece when the client has taken this one. */
export const PIECE_BYTES_MAX = 256 * 1024
/**
 * What node:http2 may hold for one connection, in its unit of a million bytes: beyond it new requests are refused. A
 * piece for each stream counts, although it is not a copy.
 */
export const SESSION_MEGABYTES_MAX = 4 + Math.ceil((STREAMS_MAX * PIECE_BYTES_MAX) / 1e6)
/** From the accept to the first request: then close. */
export const FIRST_REQUEST_TIMEOUT_MS = HEAD_TIMEOUT_MS
/** Without a request under way, whatever else the client sends: then GOAWAY and close. */
export const SESSION_IDLE_TIMEOUT_MS = IDLE_TIMEOUT_MS
/** From the head of a request to the end of its body, as with HTTP/1.1: then the stream is reset. */
export const REQUEST_TIMEOUT_MS = 3 * HEAD_TIMEOUT_MS
/** From GOAWAY on an idle connection to its end: then it is cut. */
export const CLOSE_TIMEOUT_MS = 5000
