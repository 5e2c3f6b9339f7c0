// Entries of the two streams in Redis, the events and the acknowledgements of edges, as text and as what they mean.
// Times are those of the store, by the ids it gives: no two schedulers' clocks are compared.
import { z } from 'zod'
import { clusterEventSchema, eventIdParts, eventIdSchema } from '../../src/wire/events.ts'
import type { ClusterEvent } from '../../src/wire/events.ts'
import { EVENTS_READ_AT_ONCE } from '../limits.ts'
import type { NewEvent } from './event-log.ts'

/** An id, and fields and values in turn. */
export const entriesSchema = z.array(z.tuple([eventIdSchema, z.array(z.string())]))

export type StreamEntry = z.infer<typeof entriesSchema>[number]

/** What XREAD answers: null for nothing within its time. */
export const streamsSchema = z.array(z.tuple([z.string(), entriesSchema])).nullable()

export interface Acknowledgement {
  readonly edge: string
  readonly id: string
  readonly atMs: number
}

const EVENT = 'event'
const ACKNOWLEDGED = 'acknowledged'

const acknowledgedSchema = z
  .array(
    z.strictObject({
      edge: z.string().min(1).max(64),
      id: eventIdSchema,
      /** How long it had waited to be written. */
      agoMs: z.number().nonnegative(),
    }),
  )
  .max(EVENTS_READ_AT_ONCE)

export type StoredAcknowledgements = z.infer<typeof acknowledgedSchema>

export function eventFields(event: NewEvent): [string, string] {
  return [EVENT, JSON.stringify(contentOf(event))]
}

/** What is put back has the place that it had. */
function contentOf(event: NewEvent): NewEvent {
  if (event.kind === 'purge') return { kind: event.kind, purge: event.purge }
  if (event.kind === 'config') return { kind: event.kind, version: event.version }
  return { kind: event.kind, prefetch: event.prefetch }
}

export function acknowledgementFields(stored: StoredAcknowledgements): [string, string] {
  return [ACKNOWLEDGED, JSON.stringify(stored)]
}

/** undefined: no scheduler of this version wrote it. */
export function parseEvent([id, fields]: StreamEntry): ClusterEvent | undefined {
  const value = parseValue(fields, EVENT)
  if (typeof value !== 'object' || value === null) return undefined
  return clusterEventSchema.safeParse({ ...value, id, atMs: eventIdParts(id).ms }).data
}

export function parseAcknowledgements([id, fields]: StreamEntry): readonly Acknowledgement[] | undefined {
  const parsed = acknowledgedSchema.safeParse(parseValue(fields, ACKNOWLEDGED))
  const writtenAtMs = eventIdParts(id).ms
  return parsed.data?.map((one) => ({ edge: one.edge, id: one.id, atMs: writtenAtMs - one.agoMs }))
}

function parseValue([name, text]: readonly string[], expected: string): unknown {
  if (name !== expected || text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
