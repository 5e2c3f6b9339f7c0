// Bounds of the edge, and what happens when each is reached.

/** Objects up to this many slices are pulled in one upstream request, wanted to the end or not. */
export const WHOLE_PULL_SLICES_MAX = 4
/** Piece of an answer that may not be stored: the most of it that waits in memory for its client. */
export const PASS_PIECE_BYTES = 256 * 1024
/** A pull that no reader wants more of waits this long at a slice boundary, then ends. */
export const PULL_IDLE_MS = 5000
/** Another edge: to connect, to the end of the answer's head besides what its own upstreams may take, between two pieces
 * of its body; then it counts as failed. An origin's are configured. */
export const EDGE_CONNECT_TIMEOUT_MS = 1000
export const EDGE_HEAD_EXTRA_MS = 2000
export const EDGE_BODY_TIMEOUT_MS = 15_000
/** Edges of one tier that are asked for one request, after each other. */
export const TIER_EDGES_MAX = 2
/** Failures in a row after which an upstream is left alone, and for how long: doubled up to the last while it is not back. */
export const UPSTREAM_CIRCUIT = { failuresMax: 5, restFirstMs: 1000, restLastMs: 30_000 }
/** Answers that do not come over a connection that does: held against an upstream once they have gone on for so long. */
export const UPSTREAM_DOUBT_MS = 500
/** Requests that wait for a head, and nothing has come from the upstream for so long: is it there at all? */
export const SILENCE_MS = 1000
/** For a connection that finds out. */
export const SILENCE_CONNECT_MS = 700
/** Requests sent again elsewhere: so many of each that is sent, and so many a second besides; beyond it the failure stands. */
export const RETRY_SHARE = 0.2
export const RETRIES_A_SECOND = 10
/** Saved up while all goes well. */
export const RETRIES_SAVED_MAX = 100
/** Requests that one origin may hold open until it has what they ask for; they do not keep others from it. */
export const HELD_CONNECTIONS_MAX = 1024
/** Connections to another edge whose pace is its own; further pulls wait their turn. An origin's are configured. */
export const EDGE_CONNECTIONS_MAX = 256
/** More of them whose bodies are not kept and go at their clients' pace: beyond it such an answer is refused (503). */
export const PASSING_CONNECTIONS_MAX = 256
/** More of them that wait at a slice boundary: beyond it such a pull ends, and its readers ask for ranges. */
export const PARKED_CONNECTIONS_MAX = 64
/** Requests to one origin that wait for a connection, of each kind, and for how long: then 503. */
export const ORIGIN_WAITING_MAX = 1024
export const ORIGIN_WAIT_MS = 5000
/** Interim answers (1xx) to one request: beyond it the origin is not believed any more. */
export const INTERIMS_MAX = 16
export const UPSTREAM_HEAD_BYTES_MAX = 32 * 1024
/** Object heads kept in memory apart from their bodies, about 16,000 usual ones; the least used go. */
export const METAS_BYTES_MAX = 32 * 2 ** 20
/** Objects whose variants are counted, and keys whose invalidation is remembered, so that what was on its way then
 * is not kept: about 20,000 usual ones each; the least used go. */
export const KEYS_BYTES_MAX = 8 * 2 ** 20
/** Variants of one object; further ones are not kept. */
export const VARIANTS_MAX = 32
/** Slices waiting to be written to disk: beyond it a slice is not kept. */
export const DISK_WRITE_QUEUE_BYTES_MAX = 64 * 2 ** 20
export const DISK_WRITES_AT_ONCE = 4
/** Heads found fresh that wait to be written: beyond it one keeps its old times on disk. */
export const HEAD_UPDATES_MAX = 4096
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
/** Clients whose limits are counted, of all properties together: beyond it the one unseen for longest starts afresh. */
export const CLIENTS_MAX = 65_536
/** Sessions followed, of a property that does not limit them itself: a further one plays, but nobody is told of it. */
export const SESSIONS_FOLLOWED_MAX = 100_000
/** A session ends so long after its last request, where the configuration does not say. */
export const SESSION_IDLE_MS = 30_000
/** What a shared bandwidth saves up while nobody uses it. */
export const BANDWIDTH_BURST_MS = 100
/** How far a paced reply that was held up, by its client or a busy machine, catches up with its pace. */
export const PACE_CATCH_UP_MS = 500
/** A piece of a paced body: what its rate gives in so long, between these bounds. */
export const PACED_PIECE_MS = 100
export const PACED_PIECE_BYTES_MIN = 4 * 1024
export const PACED_PIECE_BYTES_MAX = 256 * 1024
/** The same where replies take turns at a shared bandwidth: nobody waits long for one turn of each other. */
export const SHARED_PIECE_BYTES_MAX = 64 * 1024
/** A hook of a property: calls at once, calls that wait for one of them; beyond it there is no answer. */
export const HOOK_CALLS_MAX = 32
export const HOOK_WAITING_MAX = 256
/** Calls in a row that fail before it is left alone, and for how long; then one is made to see. */
export const HOOK_FAILURES_MAX = 5
export const HOOK_REST_MS = 5000
export const HOOK_CIRCUIT = {
  failuresMax: HOOK_FAILURES_MAX,
  restFirstMs: HOOK_REST_MS,
  restLastMs: HOOK_REST_MS,
}
/** For a connection to a hook or a receiver of events. */
export const HOOK_CONNECT_TIMEOUT_MS = 3000
/** Of a hook's answer: its status is what matters. */
export const HOOK_HEAD_BYTES_MAX = 16 * 1024
export const HOOK_BODY_BYTES_MAX = 64 * 1024
/** Answers of hooks remembered, of all properties together: beyond it the least used is asked for again. */
export const VERDICTS_MAX = 50_000
/** An answer never holds longer than this, whatever it says. */
export const VERDICT_MS_MAX = 24 * 3_600_000
/** Events of a property that wait to be sent: beyond it the oldest go, and are counted. */
export const EVENTS_WAITING_MAX = 2000
export const EVENTS_BATCH_MAX = 100
/** How often a batch is tried before it is given up; the waits between double, from the first to the last. */
export const EVENT_ATTEMPTS_MAX = 8
export const EVENT_RETRY_FIRST_MS = 1000
export const EVENT_RETRY_LAST_MS = 30_000
/** For a receiver of events to answer. */
export const EVENT_TIMEOUT_MS = 5000
/** As the edge stops: for the events that still wait. */
export const EVENT_FLUSH_MS = 3000
/** Denials of one kind are told at the first, then together once in so long. */
export const DENIAL_WINDOW_MS = 10_000
/** Directories whose bytes are counted for the report, a power of two: the slowest of eight gives way to a new one. */
export const BUSY_DIRECTORIES_MAX = 256
/** What was sent so long ago counts for an e-th part. */
export const BUSY_DECAY_MS = 5000
/** A directory that less than this part of all that is sent goes out of is not reported. */
export const BUSY_SHARE_MIN = 0.01
/** Purges of URLs, of prefixes and of tags that are remembered of a property: beyond it the older half becomes one of all of it. */
export const PURGE_RULES_MAX = 32_768
/** Patterns, each of which is held against every object older than itself. */
export const PURGE_WILDCARDS_MAX = 100
/** Lines of the journal of purges since it was written anew; beyond it, it is again. */
export const PURGE_JOURNAL_LINES_MAX = 20_000
/** Tags of one object, and characters of one: what is beyond is no tag. */
export const OBJECT_TAGS_MAX = 256
export const OBJECT_TAG_CHARS_MAX = 256
/** Between two attempts to hear the cluster's events. */
export const EVENTS_RETRY_MS = 500
/** How long a start waits for what was purged meanwhile; then the edge serves what it has, and goes on asking. */
export const EVENTS_CATCH_UP_MS = 2000
/** Prefetches of an operator's: objects of one at once, and of all; the others wait. */
export const PREFETCH_EACH_AT_ONCE = 4
export const PREFETCH_AT_ONCE = 16
/** How often an object is tried again that may come yet, and after how long first; the waits between double. */
export const PREFETCH_RETRIES_MAX = 3
export const PREFETCH_RETRY_FIRST_MS = 1000
/** How often one that waits looks at its hours and its rate. */
export const PREFETCH_LOOK_MS = 1000
/** While clients need the origin or the disk, it looks again after this. */
export const PREFETCH_YIELD_MS = 50
/** Of the places at an origin, and of the queue to the disk, the part that is left to clients. */
export const PREFETCH_LEFT_TO_CLIENTS = 0.5
/** Between two attempts to ask a scheduler for one's part. */
export const PREFETCH_ASK_AGAIN_MS = 2000
/** An object whose slices go while they come, or that changes at the origin: looked at so often. */
export const PREFETCH_ROUNDS_MAX = 3
/** How long an edge that is asked by another waits to hear of the purges that that one knows of; then it refuses. */
export const PEER_EVENTS_WAIT_MS = 1000
/** Without a word of any scheduler, until what it said of origins holds no more. */
export const GUIDANCE_UNHEARD_MS = 5000
