// One steering decision while it is made: what came in, and what each step of the flow adds to it.
import type { IpAddress } from '../src/net/ip.ts'
import type { JudgedToken, SteerDenial } from './access.ts'
import type { Outcome, SteerAnswer } from './answer/answers.ts'
import type { Candidate, FitSite } from './choose/candidates.ts'
import type { ClientLocation } from './locate/locate.ts'
import type { SteerQuery } from './query.ts'
import type { Snapshot } from './snapshot.ts'
import type { PropertyView, SiteView } from './topology.ts'

export interface SteerExchange {
  readonly query: SteerQuery
  readonly snapshot: Snapshot
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
  /** All sites, in the order in which they are tried. */
  sites: readonly SiteView[]
  fit: FitSite | undefined
  chosen: Candidate | undefined
  /** Set by the step that knows it. */
  outcome: Outcome | undefined
  denial: SteerDenial | null
  answer: SteerAnswer | undefined
}
