// One steering decision with its reasons: GET /api/v1/explain on the scheduler's admin listener, which
// `edgeward explain` reads, and the sampled decision log. Without tokens: paths and queries that may hold one are left out.
import { z } from 'zod'

export const locationSchema = z.object({
  /** What told where the client is. */
  source: z.enum(['coverage', 'asn', 'geoip-country', 'geoip-position', 'default']),
  /** The coverage network that matched; null where none did. */
  network: z.string().nullable(),
  asn: z.number().nullable(),
  country: z.string().nullable(),
  /** Degrees; null where the database names no city. */
  position: z.object({ lat: z.number(), lon: z.number() }).nullable(),
  /** Sites that should serve it, best first. */
  sites: z.array(z.string()),
})

const edgeRecordSchema = z.object({
  edge: z.string(),
  state: z.string(),
  /** From 1 for the edge that a client is sent to; null for one that was dropped or is at another site. */
  place: z.number().nullable(),
  /** Why it stands where it does (`hash`, `hot-asset`, `over-share`, `overloaded`), or why it was dropped. */
  reason: z.string(),
  /** Of its capacity, 1 is full: what it reports and what was sent there since. */
  utilisation: z.number(),
  /** The part of the keys of its site that it wins, by weight; and the part of its load that it may have by now. */
  weight: z.number(),
  ramp: z.number(),
  ageMs: z.number().nullable(),
})

export const siteRecordSchema = z.object({
  site: z.string(),
  role: z.enum(['pinned', 'located', 'other']),
  /** What it costs when it is empty: an estimate of the round trip, and what coverage adds or takes. */
  distanceMs: z.number(),
  utilisation: z.number(),
  congestionMs: z.number(),
  /** null: no edge there may take the client. */
  costMs: z.number().nullable(),
  /**
   * costlier: another one costs less. last-resort: what it has is doubtful. no-fit-edge: nothing there may serve it.
   * farther: its distance alone is more than the chosen one costs. not-for-property: the property names others.
   */
  verdict: z.enum(['chosen', 'costlier', 'last-resort', 'no-fit-edge', 'farther', 'not-for-property']),
  edges: z.array(edgeRecordSchema),
})

/** A mass failure that is not believed; what it is about is held as it was. */
export const holdSchema = z.object({ evidence: z.string(), edges: z.number(), forMs: z.number() })

export const decisionSchema = z.object({
  /** ISO 8601, UTC. */
  time: z.string(),
  method: z.string(),
  host: z.string(),
  property: z.string().nullable(),
  /** Without query and token; null where no property says where a token would stand. */
  path: z.string().nullable(),
  /** What is kept on one edge. */
  asset: z.string().nullable(),
  /** RFC 5952; null when it is not known. */
  client: z.string().nullable(),
  /** null: it was not asked for, since the request was refused before. */
  location: locationSchema.nullable(),
  /** Weighed sites in the order of their weighing, then those that were not. */
  sites: z.array(siteRecordSchema),
  chosen: z.object({ site: z.string(), edge: z.string(), url: z.string() }).nullable(),
  outcome: z.string(),
  /** The word of the rule or token that refused. */
  denied: z.string().nullable(),
  status: z.number(),
  holds: z.array(holdSchema),
})

export type Decision = z.infer<typeof decisionSchema>
export type DecisionLocation = z.infer<typeof locationSchema>
export type HoldRecord = z.infer<typeof holdSchema>
export type SiteRecord = z.infer<typeof siteRecordSchema>
export type EdgeRecord = z.infer<typeof edgeRecordSchema>
