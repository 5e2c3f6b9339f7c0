// What POST /api/v1/prefetches is asked for beside its list: the query, in the words of the configuration and the command.
import { z } from 'zod'
import { prefetchWindow, renditions } from '../../src/config/prefetch-values.ts'
import { rate } from '../../src/config/values.ts'
import type { PrefetchSettings } from '../../src/wire/prefetch.ts'
import type { Topology } from '../topology.ts'

const querySchema = z.strictObject({
  /** Ids, apart by commas. */
  sites: z
    .string()
    .max(64 * 1024)
    .optional(),
  rate: rate.optional(),
  window: prefetchWindow.optional(),
  renditions: renditions.prefault('all'),
})

export interface PrefetchQuery {
  readonly settings: PrefetchSettings
  readonly sites: readonly string[]
}

export function readPrefetchQuery(
  query: unknown,
  { sites: known }: Topology,
): PrefetchQuery | { readonly problem: string } {
  const parsed = querySchema.safeParse(query)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const key = issue?.path.join('.') ?? ''
    return { problem: `${key === '' ? 'query' : key}: ${issue?.message ?? ''}` }
  }
  const { sites, rate: bitRate = null, window = null, renditions: wanted } = parsed.data
  const ids = known.map(({ id }) => id)
  const named = [...new Set((sites ?? ids.join(',')).split(',').map((id) => id.trim()))]
  const unknown = named.find((id) => !ids.includes(id))
  if (unknown !== undefined) return { problem: `sites: no site of this cluster has the id "${unknown}"` }
  return { settings: { renditions: wanted, bitRate, window }, sites: named }
}
