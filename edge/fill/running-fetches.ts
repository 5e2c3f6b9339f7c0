// Fetches under way that others may join, by the name of what they fetch: until the head is known, or, for a body of
// unknown length, its end.
import type { PeerTier } from '../../src/wire/guidance.ts'
import { mayWaitFor } from '../upstream/tier.ts'
import type { UpstreamTier } from '../upstream/tier.ts'
import type { FetchOutcome } from './fetch.ts'

/** What whoever sends a request says of it as it goes on. */
export interface Flight {
  /** Where it is being asked now. */
  tier: UpstreamTier
  /** Nobody may join it any more; null: nobody ever could. */
  readonly forget: (() => void) | null
}

export interface RunningFetch {
  readonly outcome: Promise<FetchOutcome>
  /** The count of purges when it was sent. */
  readonly asOf: number
}

/** Of a request that nobody joins. */
export function ownFlight(): Flight {
  return { tier: 'peers', forget: null }
}

export class RunningFetches {
  readonly #byName = new Map<string, RunningFetch & { readonly flight: Flight }>()

  get size(): number {
    return this.#byName.size
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  /** One that a request may wait for which this edge was asked as (null: of a client). */
  find(name: string, askedAs: PeerTier | null): RunningFetch | undefined {
    const running = this.#byName.get(name)
    return running !== undefined && mayWaitFor(askedAs, running.flight.tier) ? running : undefined
  }

  /** Runs a fetch that others join by name until it says to forget it; one of that name goes on by itself. */
  lead(name: string, asOf: number, send: (flight: Flight) => Promise<FetchOutcome>): Promise<FetchOutcome> {
    let outcome: Promise<FetchOutcome> | null = null
    // A request that cannot even be sent is forgotten before it is known.
    let forgotten = false
    const forget = () => {
      forgotten = true
      if (this.#byName.get(name)?.outcome === outcome) this.#byName.delete(name)
    }
    const flight: Flight = { tier: 'peers', forget }
    outcome = send(flight)
    if (!forgotten) this.#byName.set(name, { outcome, asOf, flight })
    return outcome
  }
}
