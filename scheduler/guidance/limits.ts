// The bounds of what edges are told at run time, each with what happens when it is reached.

/** Edges of one site in a tier; of more, those with the best claim on the site. */
export const TIER_EDGES_MAX = 64

/** Changes of edges' states are looked for this often: a tier is that much late. */
export const GUIDANCE_TICK_MS = 250

/** Sites whose tiers are made anew in one turn of the event loop; the rest in the next ones. */
export const SITES_PER_TURN = 32

/** Each secret is for so long. */
export const SECRET_MS = 3_600_000

/** Secrets that edges have ahead: a site that is cut off goes on for as many hours. */
export const SECRETS_AHEAD = 4

/** It is looked this often whether a secret is to be made, or was made elsewhere. */
export const SECRETS_LOOK_MS = 30_000

/** While Redis cannot be used, this often. */
export const SECRETS_AGAIN_MS = 1000

/** After a start edges are told nothing until all of them were heard, or for so long: they go on with what they have. */
export const SETTLED_AFTER_MS = 3000
