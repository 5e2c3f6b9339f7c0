// edge.yaml: one edge, joined to a cluster (scheduler, key) or standalone (origins, properties).
import { z } from 'zod'
import { originSchema, propertySchema } from './property-schema.ts'
import { duration, httpUrl, identifier, listenAddress, size } from './values.ts'

const cacheSchema = z.strictObject({
  memory: size.default(256 * 2 ** 20).describe('Memory tier, bodies and heads.'),
  slice: size.default(2 * 2 ** 20).describe('Length of a slice: the unit of fill, storage and eviction.'),
  directories: z
    .array(
      z.strictObject({
        path: z.string().min(1).describe('Created when missing; relative to this file.'),
        size: size.describe('Bytes of slices to keep there at most.'),
      }),
    )
    .default([])
    .describe('Disk tier; slices are spread over the directories by hash. None: memory only.'),
})

const common = {
  id: identifier.describe('Name of this edge; in a cluster, an id from `edges` of edgeward.yaml.'),
  listen: listenAddress.prefault('0.0.0.0:8090').describe('Public listener: address and port for clients.'),
  admin: listenAddress.prefault('127.0.0.1:8091').describe('Metrics and health; loopback by default.'),
  cache: cacheSchema.prefault({}).describe('Memory and disk tiers.'),
  accessLog: z.boolean().default(true).describe('One log line a request.'),
  drain: duration.default(30_000).describe('How long SIGTERM waits for running responses.'),
}

export const joinedEdgeSchema = z.strictObject({
  ...common,
  scheduler: z.array(httpUrl).min(1).describe('Control listeners of the schedulers, in order of preference.'),
  key: z.string().min(16).describe('This edge’s secret, made by `edgeward key`; write it as ${NAME}.'),
})

export const standaloneEdgeSchema = z.strictObject({
  ...common,
  origins: z.array(originSchema).min(1).describe('Where content comes from.'),
  properties: z
    .array(propertySchema)
    .min(1)
    .describe('What is served; its presence makes the edge standalone.'),
})

export type JoinedEdgeSettings = z.infer<typeof joinedEdgeSchema>
export type StandaloneEdgeSettings = z.infer<typeof standaloneEdgeSchema>
export type EdgeSettings = JoinedEdgeSettings | StandaloneEdgeSettings
