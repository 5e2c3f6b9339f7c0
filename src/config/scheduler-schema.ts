// edgeward.yaml: the scheduler, its sites and edges, and the properties of the whole cluster.
import { z } from 'zod'
import { originSchema, propertySchema } from './property-schema.ts'
import { duration, httpUrl, identifier, listenAddress, rate } from './values.ts'

// An address or a network; checked as one in check.ts, which names the bad one.
const network = z.string().min(2)

const files = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)])

const siteSchema = z.strictObject({
  id: identifier,
  location: z
    .strictObject({ lat: z.number().min(-90).max(90), lon: z.number().min(-180).max(180) })
    .optional()
    .describe('Degrees; used for distance to GeoIP positions.'),
  coverage: z
    .strictObject({
      networks: z
        .array(network)
        .default([])
        .describe('Client networks of this site, IPv4 and IPv6; longest prefix wins.'),
      countries: z
        .array(z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166 code of two capitals'))
        .default([])
        .describe('Countries whose clients this site takes when no network matches.'),
    })
    .prefault({})
    .describe('Which clients belong here.'),
})

const edgeSchema = z.strictObject({
  id: identifier,
  site: identifier.describe('An id from `sites`.'),
  url: httpUrl.describe('Where clients are redirected to.'),
  capacity: z
    .strictObject({
      bandwidth: rate.default(1e9).describe('What the edge can send.'),
      connections: z.number().int().positive().default(20_000).describe('Client connections it can hold.'),
    })
    .prefault({})
    .describe('Weighs the edges of a site against each other.'),
  keyHash: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits, as `edgeward key` prints')
    .describe('Hash of the edge’s key.'),
})

export const schedulerSchema = z.strictObject({
  cluster: identifier.describe('Name of the cluster; prefix of its keys in Redis.'),
  scheduler: z
    .strictObject({
      steering: z
        .strictObject({ listen: listenAddress.prefault('0.0.0.0:8080') })
        .prefault({})
        .describe('Where clients ask.'),
      control: z
        .strictObject({ listen: listenAddress.prefault('0.0.0.0:8081') })
        .prefault({})
        .describe('Where edges report.'),
      admin: z
        .strictObject({ listen: listenAddress.prefault('127.0.0.1:8082') })
        .prefault({})
        .describe('Metrics and health; loopback by default.'),
      redis: z
        .string()
        .regex(/^rediss?:\/\//, 'must be a redis:// or rediss:// URL')
        .optional()
        .describe('Registry shared by several schedulers. Left out: in memory, one scheduler.'),
      geoip: z
        .strictObject({
          city: files.optional().describe('MaxMind or flat city databases, split into IPv4 and IPv6 or not.'),
          country: files
            .optional()
            .describe('Country databases. Left out: the one that comes with Edgeward.'),
        })
        .prefault({})
        .describe('GeoIP databases, relative to this file.'),
      trustedProxies: z
        .array(network)
        .default([])
        .describe('Peers whose Forwarded or X-Forwarded-For is believed.'),
      accessLog: z.boolean().default(true).describe('One log line a request.'),
      drain: duration.default(10_000).describe('How long SIGTERM waits for running responses.'),
    })
    .prefault({})
    .describe('The scheduler itself.'),
  defaultSite: identifier
    .optional()
    .describe('For clients that neither coverage nor GeoIP can place. Left out: the first of `sites`.'),
  sites: z.array(siteSchema).min(1),
  edges: z.array(edgeSchema).min(1),
  origins: z.array(originSchema).min(1),
  properties: z.array(propertySchema).min(1),
})

export type SiteSettings = z.infer<typeof siteSchema>
export type EdgeEntrySettings = z.infer<typeof edgeSchema>
export type SchedulerSettings = z.infer<typeof schedulerSchema>
