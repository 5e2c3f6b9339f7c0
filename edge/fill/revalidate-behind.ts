// Step: the stored object may be used stale while it is revalidated (RFC 5861 §3): ask upstream, and do not
// wait for what it says.
import type { ObjectMeta } from '../cache/object-meta.ts'
import type { EdgeContext, Exchange } from '../exchange.ts'
import type { StepName } from '../request-flow.ts'
import { fetchTargetOf } from './fetch-target.ts'
import type { FetchTarget } from './fetch.ts'

export function revalidateBehind(exchange: Exchange): StepName {
  const { edge, target, meta } = exchange
  if (target === null || meta === null) throw new Error('revalidate-behind comes after look-up')
  if (!edge.fills.isFetching(target.key)) {
    const asked = { ...fetchTargetOf(exchange), onInterim: null }
    edge.background('revalidate behind a stale hit', revalidate(edge, asked, meta))
  }
  return 'respond'
}

async function revalidate(edge: EdgeContext, asked: FetchTarget, meta: ObjectMeta): Promise<void> {
  const outcome = await edge.fills.fetch(asked, meta, 0)
  // Nobody reads it here: a pull of what may be kept goes on by itself as far as it should.
  if (outcome.kind === 'object') outcome.pull.leave(outcome.pull.attach(0))
}
