// The scheduler's bounds, in one place, each with what happens when it is reached.

/** A report older than this makes its edge suspect: chosen only when nothing better is left. */
export const SUSPECT_AFTER_MS = 3000

/** A report older than this makes its edge down: never chosen. Also the lifetime of a report in Redis. */
export const DOWN_AFTER_MS = 5000

/** A degraded edge (failed disk) keeps this share of its weight; the rest of its assets move within the site. */
export const DEGRADED_WEIGHT = 0.25

/** Body of a report; more is refused with 413. One with as many directories and properties as may be is half of it. */
export const REPORT_BYTES_MAX = 96 * 1024

/** What strangers and edges do wrong is logged at most this often; what was left out is counted in the next line. */
export const REPEATED_LOG_EVERY_MS = 5000

/** Of two processes of one edge, those that started within this time count as started at once. */
export const SAME_START_MS = 500

/**
 * Reports that arrive within this time become one new snapshot. A thousand edges send one a millisecond, and each
 * snapshot looks at all of them.
 */
export const SNAPSHOT_COALESCE_MS = 100

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

/**
 * A scheduler that has not said so for this long is not named to clients any more. With a read every half second, and
 * answers that are kept for another, a lost one is gone after 4 s; a store that is slow for two takes nobody out.
 */
export const SCHEDULER_PRESENT_MS = 3000

/** Schedulers that are named, and addresses of each; more of them are left out, and a longer list is ignored. */
export const SCHEDULERS_MAX = 32
export const SCHEDULER_ADDRESSES_MAX = 16

/** Body of an override; more is refused with 413. */
export const OVERRIDE_BYTES_MAX = 2048

/** A start waits this long for the first view of Redis, then goes on without. */
export const REGISTRY_FIRST_READ_MS = 1500

/** Of two places, what each kilometre of great circle adds to a round trip: light in fibre, on a path 1.6 times as long. */
export const RTT_MS_PER_KM = 0.016

/** Round trip to a site without a location: more than to the other side of the globe. */
export const RTT_UNKNOWN_MS = 400

/** Networks that are remembered with their site, 16 bytes each, a power of two; a later one may take another's place. */
export const LOCATED_NETWORKS = 2 ** 18

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

/**
 * No edge of a site goes above this many times its fair share of the load while another has room. A bound f lets loads
 * have a Gini coefficient of up to 1 - 1/f: 0.13. At 1.25 it would be 0.2, and sites of the simulation came to 0.16.
 */
export const FAIR_SHARE_MAX = 1.15

/** Below this share of its capacity an edge is not loaded: keeping an asset in one place is worth more than balance. */
export const BOUNDED_FROM = 0.05

/** A returning edge starts with this part of its fair share and has the whole after RAMP_UP_MS. */
export const RAMP_UP_FROM = 0.1
export const RAMP_UP_MS = 30_000

/** An asset gets an edge more at its site for each so many decisions a second. */
export const HOT_ASSET_RATE = 20

/** Looks at edges in search of the few that a hot asset is on; where it would take more, all are ranked once. */
export const HOT_SEARCH_STEPS_MAX = 1024

/** By what edges report: an edge more for each part so large of what one of them can send, in the mean. */
export const HOT_ASSET_SHARE = 0.25

/** A rate that was reported counts for an e-th part after this time, when a lower one has come: edges leave one by one. */
export const HOT_ASSET_HOLD_MS = 20_000

/** A reported directory counts for itself and those above it, so many in all; more are further away than playlists. */
export const REPORTED_ANCESTORS_MAX = 8

/** Assets at sites whose reported rate is known; one more counts as not reported. */
export const REPORTED_ASSETS_MAX = 65_536

/** Those that nobody sends any more are forgotten this often. */
export const REPORTED_SWEEP_MS = 10_000

/** From this part of its cap on, some new clients of a property go to its overflow; at the cap, all. */
export const OVERFLOW_FROM = 0.85

/** Rates of assets are means over about this time. */
export const ASSET_RATE_DECAY_MS = 10_000

/** Assets whose rate is known, a power of two; the slowest of four gives way to a new one. */
export const ASSET_RATES_MAX = 65_536

/** An edge that was down is suspect until it has been heard for this long: one report is no recovery. */
export const RETURN_AFTER_MS = 2500

/** From this share of its capacity on an edge is overloaded, until it is below the other. */
export const OVERLOADED_FROM = 0.95
export const OVERLOADED_UNTIL = 0.85

/** What each kind of coming and going adds to an edge's penalty: back from down, back from silence, restarted. */
export const RETURN_FLAPS = 1
export const SILENCE_FLAPS = 0.5
export const RESTART_FLAPS = 1

/** An edge whose penalty reaches the first is suspect until it has faded to the second. */
export const FLAP_DAMPED_FROM = 3
export const FLAP_DAMPED_UNTIL = 1.5
export const FLAP_HALF_LIFE_MS = 60_000

/** However often an edge flaps, it is damped for at most two and a half minutes from its last flap. */
export const FLAP_PENALTY_MAX = 8

/** More than this part of what was good, and no fewer than so many, turned bad within the time: held as it was. */
export const PANIC_FROM = 0.5
export const PANIC_AT_LEAST = 3
export const PANIC_TOGETHER_MS = 10_000

/** A hold is over when no more than this part is bad, or after the time: then the evidence is believed. */
export const PANIC_BELOW = 0.4
export const PANIC_HOLD_MAX_MS = 300_000

/**
 * Who is bad when a hold is over is held for so long: two reports, the first of which may be lost on its way, the half
 * second by which another scheduler's are read later, and one for an edge whose last call still hangs in the dark.
 */
export const PANIC_LATE_MS = 3500

/** Silence makes no event: the fleet is looked at this often. */
export const HEALTH_TICK_MS = 250

/**
 * Of a longer time in which this process did not run, so much passes. Beyond a tick's usual delay; short enough that
 * an edge heard a second before is not suspect after it.
 */
export const STANDSTILL_MS = 500

/**
 * Probes that begin in a second; with more addresses each is asked less often than `every`, those in doubt first. A
 * thousand edges of two addresses each have their turn every 2.5 s: one that fails twice, a second each time, gets no
 * client after 5 s. So many probes take 8 % of a core over HTTP, and a quarter over TLS, for its handshakes.
 */
export const PROBES_PER_SECOND_MAX = 800

/** Probes are started in batches, this often. */
export const PROBE_TICK_MS = 100

/** Then a probe makes a new connection, as a player would: an open one says nothing of the next, nor of a certificate. */
export const PROBES_PER_CONNECTION = 5

/** So many in a row make an address unreachable, or reachable again. */
export const PROBE_FAILURES = 2
export const PROBE_SUCCESSES = 2

/** An address in doubt, or out of reach, is asked again after this. */
export const PROBE_AGAIN_MS = 500

/** Body of an edge's answer to a probe; a longer one fails it. */
export const PROBE_BYTES_MAX = 1024

/** Weighed sites in a line of the decision log; more are left out, farthest first. */
export const LOGGED_SITES_MAX = 8

/** Edges in a list for a client that chooses itself: where it names no count, and at most; more is refused with 400. */
export const ROUTES_UNASKED = 4
export const ROUTES_MAX = 8

/** Edges of the first site at the head of such a list, while other sites have some; of each other site there is one. */
export const ROUTES_OF_FIRST_SITE = 2

/** Sites that are weighed for a list; those farther away are left out. */
export const ROUTE_SITES_MAX = 16

/** Seconds for which a client may keep a list of routes: about as long as loads and health stay what they were. */
export const ROUTES_TTL_S = 30

/** An edge's ramp is worked out anew after this time: what it may have grows in so small steps. */
export const RAMP_STEP_MS = 100

/** Events that are kept for edges that were away; beyond it the older half goes, and who needed it asks for all anew. */
export const EVENTS_KEPT_MAX = 10_000

/** Of so many of the latest it is known when each edge acknowledged them. */
export const EVENTS_ACKNOWLEDGED_MAX = 1000

/** Purges in one list: the newest; those before are asked for by their ids. */
export const PURGES_LISTED_MAX = 50

/** Entries of the streams in Redis that are asked for at once; a scheduler that has missed more asks again. */
export const EVENTS_READ_AT_ONCE = 500

/**
 * A read of the streams waits so long for something to come, then begins anew. With the longest answer that is waited
 * for (REGISTRY_TIMEOUT_MS) it leaves half a second for a slow Redis.
 */
export const EVENTS_READ_HELD_MS = 500

/** What cannot be read is tried again after this, or as soon as there is a connection. */
export const EVENTS_READ_AGAIN_MS = 250

/**
 * An event that was appended so long before Redis lost it becomes a new one, where later ones have taken its place: no
 * other scheduler may have read it. Replicas lag by less; what is older, others have.
 */
export const EVENTS_PUT_BACK_MS = 60_000

/** Acknowledgements gathered this long go to Redis as one entry. */
export const ACKNOWLEDGEMENTS_WRITE_AFTER_MS = 10

/** That wait for a lost Redis; beyond it the oldest are left out, and those edges count from their next one. */
export const ACKNOWLEDGEMENTS_UNWRITTEN_MAX = 10_000

/** Entries that are kept of them; a scheduler that starts knows of older events only that they are. */
export const ACKNOWLEDGEMENT_ENTRIES_MAX = 10_000

/** Ids that edges name and this scheduler has not read yet; with more of them, the first are looked at anew. */
export const EVENT_IDS_AHEAD_MAX = 1000

/** A line of a list of URLs to prefetch; a longer one is refused, and with it the list. */
export const PREFETCH_LINE_BYTES_MAX = 16 * 1024

/** URLs of one list, and what it takes up as it is kept: a longer one is refused. */
export const PREFETCH_URLS_MAX = 100_000
export const PREFETCH_LIST_BYTES_MAX = 32 * 2 ** 20

/** Prefetches that are under way, and what their lists take up; with more, a further one is refused. Older ones that are over go. */
export const PREFETCHES_MAX = 100
export const PREFETCH_KEPT_BYTES_MAX = 128 * 2 ** 20

/** How long one is known, over or not: an edge that was away for longer does not get its part. */
export const PREFETCH_KEPT_MS = 7 * 86_400_000

/** In Redis, for a list to be written to its end: of a scheduler that died over it, nothing stays. */
export const PREFETCH_DRAFT_MS = 3_600_000

/** Lists that are taken in at once; a further one is refused for now (503). */
export const PREFETCH_LISTS_AT_ONCE = 4

/** For one list to come in whole: the listener breaks the connection then. */
export const PREFETCH_LIST_MS = 600_000

/** A list is kept in chunks of so many URLs: where an edge that starts again can go on. */
export const PREFETCH_CHUNK_URLS = 100

/** In one answer to an edge: so many URLs, or what is its own in so many chunks. */
export const PREFETCH_PAGE_URLS = 100
export const PREFETCH_CHUNKS_LOOKED_AT_MAX = 20

/** What an edge says of its progress, with the failures that it tells one by one. */
export const PREFETCH_PROGRESS_BYTES_MAX = 512 * 1024

/** How often it is looked whether an entry of `warm` is due. */
export const WARM_LOOK_MS = 1000

/** An entry of `warm` that could not be issued is tried again after this. */
export const WARM_AGAIN_MS = 5000

/** Versions of the configuration that are kept to go back to; beyond it the oldest goes. */
export const CONFIG_VERSIONS_KEPT = 20

/** One of them, packed; beyond it its files of networks are left out, and must be on the disk as they were. */
export const CONFIG_PACKED_BYTES_MAX = 4 * 2 ** 20

/** The same, unpacked: what gives more is ignored. */
export const CONFIG_UNPACKED_BYTES_MAX = 256 * 2 ** 20

/** Versions in Redis are looked at this often, beside the events that tell of them. */
export const CONFIG_READ_EVERY_MS = 2000

/** Attempts to append a version while other schedulers append theirs; then it is refused. */
export const CONFIG_APPEND_ATTEMPTS_MAX = 5
