// What an edge knows of the others, to judge those that ask it: their secrets, and how far it has heard the events.
import type { PeerSecret } from '../../src/wire/guidance.ts'

export interface Peering {
  /** That tokens are made with. */
  readonly secrets: readonly PeerSecret[]
  /** Everything up to this event is applied here. */
  holds(event: string): boolean
  /** The same, after it has waited for a moment where it is not so yet. */
  reach(event: string): Promise<boolean>
}

/** A standalone edge: there are no others. */
export const NO_PEERING: Peering = {
  secrets: [],
  holds: () => true,
  reach: () => Promise.resolve(true),
}
