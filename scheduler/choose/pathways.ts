// The edges that a playing client may be at, in the order in which it should try them, for HLS Content Steering. It
// keeps the edge it plays from while that serves well.
import { ROUTES_MAX } from '../limits.ts'
import type { SteeringParameters } from '../own-route.ts'
import type { EdgeView } from '../topology.ts'
import type { Candidate, ChoiceQuery } from './candidates.ts'
import { routesOf } from './routes.ts'
import type { FirstSite } from './routes.ts'
import { mayStay } from './stay.ts'

export interface Pathways {
  /** The edge that the playlist came from, whose pathway is `.`; undefined: it is configured no more. */
  readonly base: EdgeView | undefined
  /** Empty where all that can serve are out of reach for a player that has this playlist. */
  readonly edges: readonly EdgeView[]
  /** The edge that the player keeps; undefined: it is to move. */
  readonly stays: EdgeView | undefined
  /** Where it would be sent to now; undefined: no edge takes new clients. */
  readonly best: Candidate | undefined
}

export function pathwaysOf(
  { from, pathway }: SteeringParameters,
  first: FirstSite,
  choice: ChoiceQuery,
): Pathways {
  const { edgesById } = choice.snapshot.topology
  const base = edgesById.get(from)
  // A player can change the host of its URIs and nothing else (RFC 8216bis §7.2).
  const besides = (base ?? first.ranked[0]?.edge)?.address.besidesHost ?? null
  const suits = (edge: EdgeView) =>
    edge === base || (besides !== null && edge.address.besidesHost === besides)
  const current = pathway === '.' ? base : edgesById.get(pathway)
  const stays = current !== undefined && suits(current) && mayStay(current, choice) ? current : undefined
  const routes = routesOf(first, choice, { count: ROUTES_MAX, suits })
  const edges = new Set(stays === undefined ? [] : [stays])
  for (const { candidate } of routes) edges.add(candidate.edge)
  if (base !== undefined && mayStay(base, choice)) edges.add(base)
  return { base, edges: [...edges], stays, best: routes[0]?.candidate }
}
