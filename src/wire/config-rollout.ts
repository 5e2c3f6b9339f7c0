// How a configuration is rolled out, over a scheduler's admin listener: POST /api/v1/config/apply and …/rollback, GET
// /api/v1/config and …/versions. What `edgeward config` asks and is answered.
import { z } from 'zod'

/** A file of thousands of edges takes seconds to read, and longer on a busy machine. */
export const CONFIG_ANSWER_MS = 60_000

/** api: an operator, by command or console. signal: SIGHUP. start: a scheduler that started with a changed file. */
export const CONFIG_ASKERS = ['api', 'signal', 'start'] as const

export type ConfigAsker = (typeof CONFIG_ASKERS)[number]

export const configVersionSchema = z.object({
  /** Counts up, also where an older one is made current again. */
  number: z.number().int().positive(),
  /** Of what it says for the cluster: the same for files that say the same. */
  hash: z.string(),
  /** Milliseconds since the epoch, of the clock of the scheduler that took it. */
  atMs: z.number(),
  by: z.enum(CONFIG_ASKERS),
  /** The version that it makes current again; null: it was a file. */
  rollbackTo: z.number().int().positive().nullable(),
  /** What edges call the part of it that they are sent. */
  edgeVersion: z.string(),
})

export type ConfigVersion = Readonly<z.infer<typeof configVersionSchema>>

/**
 * unchanged: it runs already. reread: so it does, and files that it refers to have changed; its number stays.
 */
export const configAppliedSchema = z.object({
  outcome: z.enum(['applied', 'unchanged', 'reread']),
  version: z.number().int().positive(),
})

export type ConfigApplied = z.infer<typeof configAppliedSchema>

export const configRollbackSchema = z.strictObject({ version: z.number().int().positive() })

/**
 * applied: it runs what this scheduler wants it to. pending: it lives and does not yet. refused: it cannot, and runs on
 * with what it had. silent: nothing is heard of it.
 */
export const EDGE_CONFIG_STATES = ['applied', 'pending', 'refused', 'silent'] as const

export type EdgeConfigState = (typeof EDGE_CONFIG_STATES)[number]

/** same: it is what runs. version: it is another of those kept. changed: of none. unreadable: it cannot be used. */
export const FILE_STATES = ['same', 'version', 'changed', 'unreadable'] as const

export const configStatusSchema = z.object({
  /** null: it is not known to the shared store yet. */
  running: configVersionSchema.nullable(),
  /** Since when this scheduler runs it. */
  sinceMs: z.number(),
  /** The cluster's, where this scheduler cannot run it. */
  refused: z.object({ version: z.number(), reason: z.string() }).nullable(),
  file: z.object({
    path: z.string(),
    state: z.enum(FILE_STATES),
    version: z.number().nullable(),
    problem: z.string().nullable(),
  }),
  edges: z.array(
    z.object({
      id: z.string(),
      site: z.string(),
      state: z.enum(EDGE_CONFIG_STATES),
      /** The latest version that has what it says it runs; null: it says nothing, or none has. */
      version: z.number().nullable(),
      /** When it was first heard that it runs that, milliseconds since the epoch. */
      acknowledgedAtMs: z.number().nullable(),
      reason: z.string().nullable(),
    }),
  ),
})

export type ConfigStatus = z.infer<typeof configStatusSchema>

export const configHistorySchema = z.object({
  /** Oldest first. */
  versions: z.array(configVersionSchema),
})

export type ConfigHistory = z.infer<typeof configHistorySchema>
