// What an edge needs to serve: GET /edge/v1/config (ETag = version), kept on its disk. A standalone
// edge builds the same value from its own file.
import { z } from 'zod'
import { accessSchema } from '../config/access-schema.ts'
import { callbackSchema, eventsSchema } from '../config/callback-schema.ts'
import { limitsSchema } from '../config/limits-schema.ts'
import { ORIGIN_CHOICES, failoverSchema, originSchema } from '../config/origin-schema.ts'
import { ON_WIRE } from '../config/scalar-form.ts'

export const wireCacheRuleSchema = z.strictObject({ match: z.string(), ttlMs: z.number().nonnegative() })

export const wireOriginUseSchema = z.strictObject({
  id: z.string(),
  weight: z.number().nonnegative(),
  backup: z.boolean(),
  /** Whose edges ask it, before others; none: all. */
  sites: z.array(z.string()),
})

export type WireOriginUse = z.infer<typeof wireOriginUseSchema>

export const wirePropertySchema = z.strictObject({
  id: z.string(),
  /** Lower case, without port; `*` alone matches any host, `*.example.com` any below it. */
  hosts: z.array(z.string()),
  /** Ids of the configuration's origins, in order of preference. */
  origins: z.array(wireOriginUseSchema).min(1),
  originChoice: z.enum(ORIGIN_CHOICES),
  failover: failoverSchema(ON_WIRE),
  cache: z.strictObject({
    defaultTtlMs: z.number().nonnegative(),
    rules: z.array(wireCacheRuleSchema),
    setCookie: z.enum(['pass', 'keep']),
    staleIfErrorMs: z.number().nonnegative(),
  }),
  /** Lower-case names, or every end-to-end field. */
  forward: z.union([z.literal('all'), z.array(z.string())]),
  methods: z.array(z.string()),
  cors: z.strictObject({ origins: z.array(z.string()) }),
  playlists: z.strictObject({ hosts: z.array(z.string()), compress: z.boolean() }),
  prefetch: z.strictObject({ segments: z.number().int().nonnegative() }),
  // Of one making with the file's keys; durations in milliseconds, sizes in bytes, rates in bits a second.
  access: accessSchema(ON_WIRE),
  limits: limitsSchema(ON_WIRE),
  callback: callbackSchema(ON_WIRE).optional(),
  events: eventsSchema().optional(),
  /** Its bit rate is reported: the scheduler holds it to a cap. */
  reportBitRate: z.literal(true).optional(),
  /** Its main playlists name the scheduler's steering lists. */
  announceSteering: z.literal(true).optional(),
})

/** Certificates and keys as PEM texts. */
export const wireOriginSchema = originSchema(ON_WIRE)

export type WireOrigin = z.infer<typeof wireOriginSchema>

export type WireProperty = z.infer<typeof wirePropertySchema>

export const edgeConfigSchema = z.strictObject({
  version: z.string(),
  /** Where players resolve; an edge that is over a limit sends them back there. null: there is none. */
  steeringUrl: z.string().nullable(),
  /** Clients come with the id of the property as first label of the host. */
  propertyLabels: z.boolean().default(false),
  origins: z.array(wireOriginSchema),
  properties: z.array(wirePropertySchema),
})

export type EdgeConfig = z.infer<typeof edgeConfigSchema>
