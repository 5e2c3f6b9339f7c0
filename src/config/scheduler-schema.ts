// edgeward.yaml: the scheduler, its sites and edges, and the properties of the whole cluster.
import { z } from 'zod'
import { dnsSchema } from './dns-schema.ts'
import { originHealthSchema, originSchema } from './origin-schema.ts'
import { originUseSchema, propertySchema } from './property-schema.ts'
import { fileName, files } from './file-values.ts'
import { warmSchema } from './prefetch-schema.ts'
import { redisSchema } from './redis-schema.ts'
import { IN_FILE } from './scalar-form.ts'
import { tlsSchema } from './tls-schema.ts'
import { httpUrl, identifier, ipAddress, listenAddress, network, off, rate, wait } from './values.ts'

const country = z
  .string()
  .regex(/^[A-Z]{2}$/, 'must be an ISO 3166 code of two capitals')
  .meta({ title: 'country code', examples: ['CN'] })

const asn = z
  .number()
  .int()
  .min(1)
  .max(4_294_967_295)
  .meta({ title: 'AS number', examples: [4134] })

const latitude = z
  .number()
  .min(-90)
  .max(90)
  .meta({ title: 'degrees', examples: [23.13] })
const longitude = z
  .number()
  .min(-180)
  .max(180)
  .meta({ title: 'degrees', examples: [113.26] })

/** Beside a list of sites. */
const nearest = z.literal('nearest', { error: 'must be `nearest`, or a list of sites' })

const siteSchema = z.strictObject({
  id: identifier.describe('Name of the site; edges refer to it.'),
  location: z
    .strictObject({
      lat: latitude.describe('Latitude, north positive.'),
      lon: longitude.describe('Longitude, east positive.'),
    })
    .optional()
    .describe('Degrees; used for distance to GeoIP positions.'),
  coverage: z
    .strictObject({
      networks: z
        .array(network)
        .default([])
        .describe('Client networks of this site, IPv4 and IPv6; longest prefix wins.'),
      file: fileName
        .optional()
        .describe('A file of more such networks, one a line, `#` before comments; relative to this file.'),
      asns: z
        .array(asn)
        .default([])
        .describe('Networks by number (ASN) whose clients this site takes when no network matches.'),
      countries: z
        .array(country)
        .default([])
        .describe('Countries whose clients this site takes when no network and no number matches.'),
    })
    .prefault({})
    .describe('Which clients belong here.'),
  parents: z
    .union([nearest, z.array(identifier)])
    .default([])
    .describe(
      'Sites that fill this one’s edges, the first that can; ids from `sites`. `nearest`: those with `fills`, by ' +
        'distance. Left out: they ask the origins.',
    ),
  fills: z
    .boolean()
    .default(false)
    .describe('Whether it fills those whose parents are the `nearest`; needs `location`.'),
})

const edgeSchema = z.strictObject({
  id: identifier.describe('Name of the edge, the `id` of its edge.yaml.'),
  site: identifier.describe('An id from `sites`.'),
  url: httpUrl.describe('Where clients are redirected to.'),
  capacity: z
    .strictObject({
      bandwidth: rate.prefault('1Gbit').describe('What the edge can send.'),
      connections: z.number().int().positive().default(20_000).describe('Client connections it can hold.'),
    })
    .prefault({})
    .describe('What it can carry: its share of the clients of its site, and when it counts as full.'),
  weight: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe('Multiplies its share of its site’s clients; 0: only where no other edge can serve.'),
  addresses: z
    .array(ipAddress)
    .default([])
    .describe('Its public addresses: clients are sent where theirs fit. Left out: IPv4 and IPv6.'),
  capabilities: z
    .array(identifier)
    .default([])
    .describe('Labels of what it can do, for properties that ask for them.'),
  pinned: z
    .array(network)
    .default([])
    .describe(
      'A deep edge: it serves clients of these networks, before other edges, and nobody else. Left out: anybody.',
    ),
  probe: z
    .boolean()
    .default(true)
    .describe(
      'Whether `scheduler.probes` asks it; `false` for one that its clients can reach and the scheduler cannot.',
    ),
  keyHash: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits, as `edgeward key` prints')
    .meta({ title: 'key hash' })
    .describe('Hash of the edge’s key.'),
})

/** Its TTL is in whole seconds, and each playing client asks that often. */
const steeringTtl = wait.refine((ms) => ms >= 1000, 'must be at least 1s')

const clusterOriginSchema = originSchema(IN_FILE).extend({
  health: originHealthSchema(IN_FILE)
    .optional()
    .describe('How the scheduler asks whether it serves. Left out: what edges see of it decides alone.'),
})

const clusterPropertySchema = propertySchema.extend({
  origins: z
    .array(
      originUseSchema.extend({
        sites: z
          .array(identifier)
          .default([])
          .describe('Sites whose edges ask this one, before others; ids from `sites`. Left out: all.'),
      }),
    )
    .min(1)
    .describe('Where content comes from, in order of preference.'),
  peers: z
    .boolean()
    .default(true)
    .describe(
      'Edges of a site ask the one among them that an asset belongs to, before they ask further away.',
    ),
  shield: identifier
    .optional()
    .describe('The site whose edges alone ask the origins; an id from `sites`. Left out: there is none.'),
  sites: z
    .array(identifier)
    .default([])
    .describe('The only sites that may serve it; ids from `sites`. Left out: all.'),
  capabilities: z
    .array(identifier)
    .default([])
    .describe('Labels that an edge must have among its `capabilities` to serve it.'),
  overflow: z
    .strictObject({
      above: rate.describe(
        'Cap on what all edges together send of it: near it a growing share of new clients goes elsewhere.',
      ),
      to: httpUrl.describe(
        'Another CDN that has it; the client’s path and query are put behind it. Also taken when no edge can serve.',
      ),
    })
    .optional()
    .describe('Where clients go that are too many for this cluster. Left out: there is no cap.'),
  contentSteering: z
    .strictObject({
      ttl: steeringTtl.prefault('30s').describe('How often players ask the scheduler where to play from.'),
    })
    .optional()
    .describe(
      'HLS Content Steering: main playlists name the scheduler, and a playing client moves to another edge when its own fails. Left out: off.',
    ),
  warm: z.array(warmSchema).default([]).describe('Content that sites fetch before anybody asks for it.'),
})

export const schedulerSchema = z.strictObject({
  cluster: identifier.describe('Name of the cluster; prefix of its keys in Redis.'),
  scheduler: z
    .strictObject({
      steering: z
        .strictObject({
          listen: listenAddress.prefault('0.0.0.0:8080').describe('Public: players and browsers.'),
          publicUrl: httpUrl
            .optional()
            .describe('How players reach it; an edge over its limits sends them back there.'),
          redirect: z
            .enum(['path', 'host'])
            .default('path')
            .describe(
              'How a redirect tells the edge which property is meant: `path` puts `/~id` in front of the path, `host` the id as one more label in front of the edge’s host name, which needs a wildcard in DNS and in its certificate.',
            ),
          tls: tlsSchema.optional().describe('Certificates. Left out: plain HTTP.'),
        })
        .prefault({})
        .describe('Where clients ask.'),
      control: z
        .strictObject({
          listen: listenAddress.prefault('0.0.0.0:8081').describe('Reached by edges, with their keys.'),
        })
        .prefault({})
        .describe('Where edges report.'),
      admin: z
        .strictObject({ listen: listenAddress.prefault('127.0.0.1:8082').describe('Not for the public.') })
        .prefault({})
        .describe('Metrics and health; loopback by default.'),
      dns: dnsSchema.optional().describe('Answers DNS for the names of the cluster. Left out: it does not.'),
      redis: redisSchema
        .optional()
        .describe('Registry shared by several schedulers. Left out: in memory, one scheduler.'),
      geoip: z
        .strictObject({
          city: files.optional().describe('MaxMind or flat city databases, split into IPv4 and IPv6 or not.'),
          country: files
            .optional()
            .describe('Country databases. Left out: the one that comes with Edgeward.'),
          asn: files.optional().describe('Databases of networks by number (ASN).'),
        })
        .prefault({})
        .describe('GeoIP databases, relative to this file.'),
      probes: z
        .union([
          off,
          z.strictObject({
            every: wait.prefault('2s').describe('How often each address of an edge is asked.'),
            timeout: wait.prefault('1s').describe('What takes longer has failed.'),
          }),
        ])
        .prefault({})
        .describe('Asks every edge, over each address family, whether players can reach it; `false`: never.'),
      trustedProxies: z
        .array(network)
        .default([])
        .describe('Peers whose Forwarded or X-Forwarded-For is believed.'),
      accessLog: z.boolean().default(true).describe('One log line a request.'),
      decisionLog: z
        .number()
        .min(0)
        .max(1)
        .default(0)
        .meta({ title: 'share', examples: [0.001] })
        .describe('The share of decisions that are logged with every candidate and the reasons; 0: none.'),
      drain: wait.prefault('10s').describe('How long SIGTERM waits for running responses.'),
    })
    .prefault({})
    .describe('The scheduler itself.'),
  defaultSite: identifier
    .optional()
    .describe('For clients that neither coverage nor GeoIP can place. Left out: the first of `sites`.'),
  sites: z.array(siteSchema).min(1).describe('Places with edges, each with the clients it takes.'),
  edges: z.array(edgeSchema).min(1).describe('Every edge that may report, and where clients reach it.'),
  origins: z.array(clusterOriginSchema).min(1).describe('Where content comes from.'),
  properties: z.array(clusterPropertySchema).min(1).describe('What is served, under which hosts and rules.'),
})

export type SiteSettings = z.infer<typeof siteSchema>
export type EdgeEntrySettings = z.infer<typeof edgeSchema>
export type ClusterPropertySettings = z.infer<typeof clusterPropertySchema>
export type SchedulerSettings = z.infer<typeof schedulerSchema>
export type ClusterOriginSettings = z.infer<typeof clusterOriginSchema>
