// Bounds of what decides who may have it, each with what happens when it is reached.

/** Hops of Forwarded or X-Forwarded-For that are walked; the rest of the field is not looked at. */
export const FORWARDED_HOPS_MAX = 32
