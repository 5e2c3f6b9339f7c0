// Where an edge may pull from as things are now: GET /edge/v1/guidance?edge=ID, bearer key (ETag = version). Of one
// site; changes with the health of edges and origins, where the configuration does not. Kept on the edge's disk.
import { z } from 'zod'

/** Tiers of edges, nearest first; the origins come behind them. */
export const PEER_TIERS = ['peers', 'parents', 'shield'] as const

export type PeerTier = (typeof PEER_TIERS)[number]

export const peerSecretSchema = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/),
  /** 32 bytes in base64url. */
  key: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  /** Tokens are made with it between these, milliseconds since the epoch; they are taken a little around it. */
  fromMs: z.number().nonnegative(),
  untilMs: z.number().nonnegative(),
})

/** An hour each, some of them ahead: an edge may be cut off from its schedulers. */
export const PEER_SECRETS_MAX = 16

export type PeerSecret = z.infer<typeof peerSecretSchema>

export const guidanceTierSchema = z.strictObject({
  kind: z.enum(PEER_TIERS),
  /** Ids from `edges`; the edge that reads it may be among them. */
  edges: z.array(z.string()).min(1),
})

export type GuidanceTier = z.infer<typeof guidanceTierSchema>

export const guidanceSchema = z.strictObject({
  version: z.string(),
  site: z.string(),
  secrets: z.array(peerSecretSchema).max(PEER_SECRETS_MAX),
  /** Every edge that a tier names, by id. */
  edges: z.record(z.string(), z.strictObject({ url: z.url(), weight: z.number().nonnegative() })),
  /** Properties with the same tiers together; one that is not here pulls from its origins. */
  chains: z.array(z.strictObject({ properties: z.array(z.string()), tiers: z.array(guidanceTierSchema) })),
  /** By id; one that is not here is up. */
  origins: z.record(
    z.string(),
    z.strictObject({
      state: z.enum(['down', 'returning']),
      /** Of the requests it would be asked when up, 0 to 1. */
      share: z.number().min(0).max(1),
      /** Something else than edges' requests finds out when it is back. */
      probed: z.boolean(),
    }),
  ),
})

export type Guidance = z.infer<typeof guidanceSchema>
export type OriginGuidance = Guidance['origins'][string]
