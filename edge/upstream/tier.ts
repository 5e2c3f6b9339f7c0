// Where a fetch is being asked, and who may wait for it there. Edges may disagree for a moment about who owns what: two
// that wait for each other's fetch would wait until both are timed out.
import type { PeerTier } from '../../src/wire/guidance.ts'

export type UpstreamTier = PeerTier | 'origins'

/** A fetch goes only this way. */
const RANK: Record<UpstreamTier, number> = { peers: 0, parents: 1, shield: 2, origins: 3 }

/**
 * Whether a request may wait for a fetch that is being asked at `at`; null: a client's, for which no edge waits. A peer
 * only for one that has left the peers, a shield's child only for one at the origins. Who is asked as a parent may wait
 * for any: sites fill each other in no circle, so that no fetch of this one waits for the site that asks.
 */
export function mayWaitFor(askedAs: PeerTier | null, at: UpstreamTier): boolean {
  if (askedAs === null || askedAs === 'parents') return true
  return RANK[at] > RANK[askedAs]
}
