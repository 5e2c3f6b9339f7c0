// Bounds of the edge, and what happens when each is reached.

/** Objects up to this many slices are pulled in one upstream request, wanted to the end or not. */
export const WHOLE_PULL_SLICES_MAX = 4
/** Piece of an answer that may not be stored: the most of it that waits in memory for its client. */
export const PASS_PIECE_BYTES = 256 * 1024
/** A pull that no reader wants more of waits this long at a slice boundary, then ends. */
export const PULL_IDLE_MS = 5000
/** Upstream: to connect, to the end of the answer's head, between two pieces of its body; then it counts as failed. */
export const CONNECT_TIMEOUT_MS = 3000
export const UPSTREAM_HEAD_TIMEOUT_MS = 10_000
/** Requests that one origin may hold open until it has what they ask for; they do not keep others from it. */
export const HELD_CONNECTIONS_MAX = 1024
export const UPSTREAM_BODY_TIMEOUT_MS = 15_000
/** Connections to one origin; further pulls wait their turn. */
export const ORIGIN_CONNECTIONS_MAX = 64
/** Interim answers (1xx) to one request: beyond it the origin is not believed any more. */
export const INTERIMS_MAX = 16
export const UPSTREAM_HEAD_BYTES_MAX = 32 * 1024
/** Object heads kept in memory apart from their bodies; the least used go. */
export const METAS_MAX = 20_000
/** Keys whose invalidation is remembered, so that what was on its way then is not kept. */
export const INVALIDATIONS_MAX = 20_000
/** Variants of one object; further ones are not kept. */
export const VARIANTS_MAX = 32
/** Slices waiting to be written to disk: beyond it a slice is not kept. */
export const DISK_WRITE_QUEUE_BYTES_MAX = 64 * 2 ** 20
export const DISK_WRITES_AT_ONCE = 4
export const DISK_REMOVALS_AT_ONCE = 2
/** I/O errors after which a cache directory is no longer used. */
export const DISK_ERRORS_MAX = 5
/** Slices of one cache directory: beyond it one goes for each that comes. Each costs about 45 bytes of memory. */
export const DISK_SLICES_MAX = 2 ** 22
/** How often a cache directory is looked at: is it still there, does its file system have room? */
export const DISK_WATCH_MS = 5000
/** Left free on a cache directory's file system where the configuration does not say: the smaller of the two. */
export const FREE_SHARE_DEFAULT = 0.05
export const FREE_BYTES_DEFAULT_MAX = 2 ** 30
/** Written to a cache directory before the free space is asked for again, at most. */
export const FREE_CHECK_BYTES_MAX = 256 * 2 ** 20
/** Files of slices kept open, a cache directory: the least used are closed. */
export const OPEN_FILES_MAX = 256
/** One pooled read buffer; a response holds two at most. */
export const READ_BUFFER_BYTES = 256 * 1024
/** Idle read buffers kept for the next response. */
export const READ_BUFFERS_IDLE_MAX = 64
/** Serialised head of a stored object: beyond it the object is not stored. */
export const STORED_HEAD_BYTES_MAX = 32 * 1024
/** Objects fresh for no longer than this, and playlists, go to the memory tier at once. */
export const LIVE_LIFETIME_MS = 60_000
/** Longest path with query that the edge serves: beyond it 414. */
export const TARGET_BYTES_MAX = 8 * 1024
