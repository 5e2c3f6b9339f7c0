// What edges together say of an origin, from what requests to it came to of late. One edge, or one site, that is cut from
// an origin does not take it from all others.
import { FAILURES_AT_LEAST, FAILURES_RETURNING } from './limits.ts'

/** Within the window. */
export interface EdgesView {
  /** That asked it. */
  readonly edges: number
  /** Of them, those for whom nothing came to a good end. */
  readonly failing: number
  /** The sites of those. */
  readonly failingSites: number
  readonly ok: number
  readonly failed: number
}

export const NOTHING_SEEN: EdgesView = { edges: 0, failing: 0, failingSites: 0, ok: 0, failed: 0 }

/** unclear: some fail, but not enough of them to tell. */
export type EdgesWord = 'failing' | 'unclear' | 'serving' | 'nothing'

export interface Listeners {
  /** Edges that report, and the sites that they are at. */
  readonly edges: number
  readonly sites: number
}

export interface HeardFrom {
  /** It is known to be down or on its way back: fewer failures tell. */
  readonly isDoubted: boolean
  /** Probes find it good: a single site's word is not enough. */
  readonly isProbedGood: boolean
  readonly alive: Listeners
}

export function edgesWord(view: EdgesView, { isDoubted, isProbedGood, alive }: HeardFrom): EdgesWord {
  const { edges, failing, failingSites, ok, failed } = view
  // Circuits that are still open tell of what was.
  if (ok + failed === 0) return 'nothing'
  const serving = edges - failing
  if (failing <= serving) return failed === 0 || serving > failing ? 'serving' : 'unclear'
  if (failed < (isDoubted ? FAILURES_RETURNING : FAILURES_AT_LEAST)) return 'unclear'
  // Few are sent to one that is coming back, maybe from one edge alone.
  if (isDoubted) return 'failing'
  const isOneOfMany = failing < Math.min(2, alive.edges)
  const isSiteOfMany = isProbedGood && failingSites < Math.min(2, alive.sites)
  return isOneOfMany || isSiteOfMany ? 'unclear' : 'failing'
}
