// The scheduler's bounds, in one place, each with what happens when it is reached.

/** A report older than this makes its edge suspect: chosen only when nothing better is left. */
export const SUSPECT_AFTER_MS = 3000

/** A report older than this makes its edge down: never chosen. Also the lifetime of a report in Redis. */
export const DOWN_AFTER_MS = 5000

/** A degraded edge (failed disk) keeps this share of its weight; the rest of its assets move within the site. */
export const DEGRADED_WEIGHT = 0.25

/** Body of a report; more is refused with 413. */
export const REPORT_BYTES_MAX = 8 * 1024

/** Wrong keys are logged at most this often; what was left out is counted in the next line. */
export const REFUSED_KEY_LOG_EVERY_MS = 5000

/** Reports that arrive within this time become one new snapshot. */
export const SNAPSHOT_COALESCE_MS = 20

/** Seconds a client is asked to wait when nothing can serve: one report and a little. */
export const RETRY_AFTER_S = 2

/** Other schedulers' reports are read this often. */
export const REGISTRY_READ_EVERY_MS = 500

/** Own reports gathered this long go to Redis as one pipeline; only the newest of each edge is kept. */
export const REGISTRY_WRITE_AFTER_MS = 50

/** An answer of Redis slower than this ends the connection; reads are held until it is back. */
export const REGISTRY_TIMEOUT_MS = 1000

/** Longest wait between two attempts to reach Redis. */
export const REGISTRY_RECONNECT_MAX_MS = 1000

/** A start waits this long for the first view of Redis, then goes on without. */
export const REGISTRY_FIRST_READ_MS = 1500
