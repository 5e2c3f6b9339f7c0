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

/**
 * After Redis was away, no report gets older for this long: the scheduler that an edge reports to may find the way
 * back later than this one, by a handshake that hangs and a pause before the next. An edge that died meanwhile is
 * down that much later.
 */
export const REGISTRY_GRACE_MS = 3000

/** Body of an override; more is refused with 413. */
export const OVERRIDE_BYTES_MAX = 2048

/** A start waits this long for the first view of Redis, then goes on without. */
export const REGISTRY_FIRST_READ_MS = 1500

/** Of two places, what each kilometre of great circle adds to a round trip: light in fibre, on a path 1.6 times as long. */
export const RTT_MS_PER_KM = 0.016

/** Round trip to a site without a location: more than to the other side of the globe. */
export const RTT_UNKNOWN_MS = 400

/** What each place further down in a list of located sites costs, and the most that it can. */
export const LOCATED_STEP_MS = 5
export const LOCATED_STEPS_MS_MAX = 50

/** How much farther than its distance a site counts that does not cover the client, when another one does. */
export const COVERAGE_ADVANTAGE_MS = 100

/** How much nearer than its site an edge counts that is pinned to the client's network. */
export const PINNED_ADVANTAGE_MS = 50

/** Below this share of its capacity a site costs nothing more; above it, steeply more. */
export const CONGESTION_FROM = 0.7

/** The penalty is this many milliseconds halfway between CONGESTION_FROM and full. */
export const CONGESTION_MS = 20

/** Reports and expectations beyond this many times an edge's capacity count as this: impossible loads stay comparable. */
export const UTILISATION_MAX = 4

/** What a client that was just sent somewhere is expected to take, bits a second, until reports show what it takes. */
export const SESSION_BIT_RATE = 5e6

/** An expected session counts for a e-th part after this time: two reports later the report has it. */
export const EXPECTED_DECAY_MS = 1500

/** No edge of a site goes above this many times its fair share of the load while another has room. */
export const FAIR_SHARE_MAX = 1.25

/** Below this share of its capacity an edge is not loaded: keeping an asset in one place is worth more than balance. */
export const BOUNDED_FROM = 0.05

/** A returning edge starts with this part of its fair share and has the whole after RAMP_UP_MS. */
export const RAMP_UP_FROM = 0.1
export const RAMP_UP_MS = 30_000

/** An asset gets an edge more at its site for each so many decisions a second. */
export const HOT_ASSET_RATE = 20

/** Rates of assets are means over about this time. */
export const ASSET_RATE_DECAY_MS = 10_000

/** Assets whose rate is known, a power of two; the slowest of four gives way to a new one. */
export const ASSET_RATES_MAX = 65_536
