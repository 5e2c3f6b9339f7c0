// What an edge asks its scheduler of prefetches, typed. Rejects when no scheduler answers.
import {
  edgePrefetchSchema,
  edgePrefetchUrlsSchema,
  edgePrefetchesSchema,
  progressReplySchema,
} from '../../../src/wire/prefetch.ts'
import type {
  EdgePrefetch,
  EdgePrefetchUrls,
  PrefetchProgress,
  ProgressReply,
} from '../../../src/wire/prefetch.ts'
import type { SchedulerClient } from '../../report/scheduler-client.ts'

export interface JobSource {
  /** Those with a part for this edge that it has not done. */
  ids(): Promise<readonly string[]>
  part(id: string): Promise<EdgePrefetch>
  urls(id: string, from: number): Promise<EdgePrefetchUrls>
  tell(id: string, progress: PrefetchProgress): Promise<ProgressReply>
}

export function jobSource(client: SchedulerClient, edgeId: string): JobSource {
  const edge = encodeURIComponent(edgeId)
  return {
    ids: async () =>
      edgePrefetchesSchema.parse(await client.call('GET', `/edge/v1/prefetches?edge=${edge}`, null)).ids,
    part: async (id) =>
      edgePrefetchSchema.parse(await client.call('GET', `${pathOf(id)}?edge=${edge}`, null)),
    urls: async (id, from) =>
      edgePrefetchUrlsSchema.parse(
        await client.call('GET', `${pathOf(id)}/urls?edge=${edge}&from=${from}`, null),
      ),
    tell: async (id, progress) =>
      progressReplySchema.parse(
        await client.call('PUT', `${pathOf(id)}/progress?edge=${edge}`, JSON.stringify(progress)),
      ),
  }
}

function pathOf(id: string): string {
  return `/edge/v1/prefetches/${encodeURIComponent(id)}`
}
