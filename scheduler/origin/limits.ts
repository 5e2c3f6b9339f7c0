// The bounds of how origins are judged, each with what happens when it is reached.

/** What edges reported within this time is their word on an origin. */
export const OUTCOMES_WINDOW_MS = 2000

/** Reports of one edge in that time: one a second, and more when circuits open; of further ones the oldest are left out. */
export const OUTCOMES_PER_EDGE_MAX = 12

/** Failures within the window that make an origin that was up a failed one: as many as open an edge's circuit. */
export const FAILURES_AT_LEAST = 5

/** Of one that is just coming back: few are asked of it by then. */
export const FAILURES_RETURNING = 2

/** What edges said lately speaks for an origin that probes alone do not reach, for so long after its last success. */
export const VOUCHED_MS = 5000

/** An origin that edges found failed is tried again after this, doubled each time that it fails again, to the second. */
export const HOLD_OFF_MS = 5000
export const HOLD_OFF_MS_MAX = 60_000

/** Up for so long, and the next failure is its first. */
export const STEADY_MS = 60_000

/** What edges saw of an origin that is down counts beside its probes for so long; then edges may try it themselves. */
export const CORROBORATED_MS = 30_000

/** A returning origin's share of its requests, each for a part of RAMP_MS: edges are told of each step. */
export const RAMP_MS = 10_000
export const RAMP_SHARES = [0.05, 0.2, 0.4, 0.6, 0.8] as const

/** Of so many probed origins more than half must be lost at once to make the probes unbelievable. */
export const HELD_OF_AT_LEAST = 3
export const HELD_AT_LEAST = 2

/** Names that are looked up at once for probes: half of the threads that Node has for it. Others wait their turn. */
export const LOOKUPS_AT_ONCE = 2

/** Probes that wait for one name; a further one finds nothing out. */
export const LOOKUP_WAITERS_MAX = 16

/** Origins that are probed in one tick; the rest have their turn in the next. */
export const ORIGIN_PROBES_PER_TICK = 40

/** Origins' time passes without events: they are looked at this often. */
export const ORIGIN_TICK_MS = 250

/** Reports make it look at once, where that is longer ago than a millisecond for each so many edges: a look costs that. */
export const EDGES_PER_LOOK_MS = 50
