// One steering decision while it is made: what came in, and what each step of the flow adds to it.
import type { IpAddress } from '../src/net/ip.ts'
import type { JudgedToken, SteerDenial } from './access.ts'
import type { Outcome, SteerAnswer } from './answer/answers.ts'
import type { Candidate, ChoiceQuery } from './choose/candidates.ts'
import type { Pathways } from './choose/pathways.ts'
import type { Route } from './choose/routes.ts'
import type { Demand } from './choose/demand.ts'
import type { SiteOrder, Weighing } from './choose/sites.ts'
import type { ClientLocation } from './locate/locate.ts'
import type { Asked, SteerQuery } from './query.ts'
import type { Snapshot } from './snapshot.ts'
import type { EdgeView, PropertyView, SiteView } from './topology.ts'

export interface ChosenEdge {
  readonly id: string
  readonly edge: EdgeView
}

export interface SteerExchange {
  /** What is steered: of a list, the request that it is about. */
  readonly query: SteerQuery
  /** The request, read. */
  readonly asked: Asked
  readonly snapshot: Snapshot
  readonly demand: Demand
  /** Every candidate is ranked, with its reasons, also where the choice is plain without. */
  readonly thorough: boolean
  /** The scheduler's monotonic clock. */
  readonly nowMs: number
  property: PropertyView | undefined
  /** null: the property asks for none. */
  readonly token: JudgedToken | null
  /** Without the `/~property` prefix, with its tokens. */
  target: string
  /** The same without tokens and query. */
  path: string
  client: IpAddress | undefined
  location: ClientLocation | undefined
  /** What the choice is made for. */
  choice: ChoiceQuery | undefined
  order: SiteOrder | undefined
  /** The sites that were looked at, with what they cost and what dropped their edges. */
  weighing: Weighing | undefined
  /** The edges of the chosen site, best first, each with the reason for its place. */
  ranked: readonly Candidate[]
  /** The first of them, or the one that needed no ranking. */
  chosen: ChosenEdge | undefined
  /** Where that is. */
  site: SiteView | undefined
  /** Of a list of routes. */
  routes: readonly Route[]
  /** Of a steering list. */
  pathways: Pathways | undefined
  /** Set by the step that knows it. */
  outcome: Outcome | undefined
  denial: SteerDenial | null
  answer: SteerAnswer | undefined
}
