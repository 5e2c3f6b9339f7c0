// edge.yaml: one edge, joined to a cluster (scheduler, key) or standalone (origins, properties).
import { z } from 'zod'
import { checkedNetwork } from './access-values.ts'
import { files } from './file-values.ts'
import { originSchema } from './origin-schema.ts'
import { propertySchema } from './property-schema.ts'
import { IN_FILE } from './scalar-form.ts'
import { tlsSchema } from './tls-schema.ts'
import { httpUrl, identifier, listenAddress, size, wait } from './values.ts'

// A fill holds one whole slice in memory.
const SLICE_BYTES_MAX = 64 * 2 ** 20

const cacheSchema = z.strictObject({
  memory: size.prefault('256MiB').describe('Memory tier, bodies and heads.'),
  slice: size
    .refine((bytes) => bytes >= 2 ** 10 && bytes <= SLICE_BYTES_MAX, 'must be from 1KiB to 64MiB')
    .prefault('2MiB')
    .describe('Length of a slice: the unit of fill, storage and eviction.'),
  directories: z
    .array(
      z.strictObject({
        path: z
          .string()
          .min(1)
          .meta({ title: 'directory' })
          .describe('Created when missing; relative to this file.'),
        size: size.describe('Bytes of slices to keep there at most.'),
        free: size
          .optional()
          .describe(
            'Bytes to leave free on its file system, whatever `size` says. Default: 5% of the file system, 1GiB at most.',
          ),
      }),
    )
    .prefault([])
    .describe('Disk tier; slices are spread over the directories by hash. None: memory only.'),
})

const common = {
  id: identifier.describe('Name of this edge; in a cluster, an id from `edges` of edgeward.yaml.'),
  listen: listenAddress.prefault('0.0.0.0:8090').describe('Public listener: address and port for clients.'),
  tls: tlsSchema.optional().describe('Certificates of the public listener. Left out: plain HTTP.'),
  connectionsPerAddress: z
    .number()
    .int()
    .min(1)
    .default(20_000)
    .describe('Connections of one client address (of IPv6: one /64); further ones are closed.'),
  trustedProxies: z
    .array(checkedNetwork)
    .default([])
    .describe('Peers whose Forwarded or X-Forwarded-For is believed.'),
  geoip: z
    .strictObject({
      country: files
        .optional()
        .describe('Country or city databases. Left out: the one that comes with Edgeward.'),
      asn: files.optional().describe('Databases of networks by number (ASN).'),
    })
    .prefault({})
    .describe('GeoIP databases for access rules, relative to this file.'),
  admin: listenAddress.prefault('127.0.0.1:8091').describe('Metrics and health; loopback by default.'),
  cache: cacheSchema.prefault({}).describe('Memory and disk tiers.'),
  accessLog: z.boolean().default(true).describe('One log line a request.'),
  drain: wait.prefault('30s').describe('How long SIGTERM waits for running responses.'),
}

const joinedOnly = {
  scheduler: z.array(httpUrl).min(1).describe('Control listeners of the schedulers, in order of preference.'),
  key: z
    .string()
    .min(16)
    .meta({ title: 'secret' })
    .describe('This edge’s secret, made by `edgeward key`; write it as ${NAME}.'),
}

const standaloneOnly = {
  origins: z.array(originSchema(IN_FILE)).min(1).describe('Where content comes from.'),
  properties: z
    .array(propertySchema)
    .min(1)
    .describe('What is served; its presence makes the edge standalone.'),
}

export const joinedEdgeSchema = z.strictObject({ ...common, ...joinedOnly })

export const standaloneEdgeSchema = z.strictObject({ ...common, ...standaloneOnly })

/** For a file that does not say which of the two it is: finds what is wrong with the rest of it. */
export const undecidedEdgeSchema = z.strictObject({
  ...common,
  ...z.object({ ...joinedOnly, ...standaloneOnly }).partial().shape,
})

export type JoinedEdgeSettings = z.infer<typeof joinedEdgeSchema>
export type StandaloneEdgeSettings = z.infer<typeof standaloneEdgeSchema>
export type EdgeSettings = JoinedEdgeSettings | StandaloneEdgeSettings
