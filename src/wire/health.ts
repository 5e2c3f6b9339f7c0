// What a scheduler's probe asks an edge's public listener, and how it knows whose answer it is.

/** 200 while it serves, 503 while it drains. */
export const HEALTH_PATH = '/.edgeward/health'

/** The edge's id. */
export const EDGE_FIELD = 'Edgeward-Edge'
