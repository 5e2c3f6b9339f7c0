// A channel that a crowd comes to: on how many edges of each crowded site it is, before, while it lasts, and after. It
// must be on more while it lasts, and on fewer again when it is over.
import type { Placement } from './placement.ts'
import type { Script, ScriptEvent } from './script.ts'
import { clockOf } from './script.ts'
import type { Violations } from './violations.ts'

/** So long after a crowd its channel is as cold as before. */
const FORGOTTEN_MS = 60_000
/** What it may be above what it was before: the channel is live, and some have stayed. */
const LEFT_OVER = 1

export interface Gathering {
  readonly event: ScriptEvent
  /** Mean over the crowded sites, at the end of each window. */
  readonly seen: { readonly atMs: number; readonly edges: number }[]
}

export class Crowding {
  readonly gatherings: readonly Gathering[]

  constructor({ events }: Script) {
    this.gatherings = events
      .filter(({ kind }) => kind === 'flash-crowd')
      .map((event) => ({ event, seen: [] }))
  }

  /** A window of placements is about to be closed. */
  look(placement: Placement, nowMs: number): void {
    for (const { event, seen } of this.gatherings) {
      const { asset, cities } = event
      if (asset === undefined) continue
      const edges = [...cities].reduce((sum, city) => sum + placement.edgesOf(city, asset), 0) / cities.size
      seen.push({ atMs: nowMs, edges })
    }
  }

  check(violations: Violations): void {
    for (const { event, seen } of this.gatherings) {
      const most = (from: number, to: number) =>
        Math.max(0, ...seen.filter(({ atMs }) => atMs > from && atMs <= to).map(({ edges }) => edges))
      const before = most(-Infinity, event.atMs)
      const during = most(event.atMs, event.endMs)
      const later = seen.filter(({ atMs }) => atMs > event.endMs + FORGOTTEN_MS).map(({ edges }) => edges)
      const after = later.length === 0 ? 0 : Math.min(...later)
      if (during > before && after <= before + LEFT_OVER) continue
      violations.add('crowding', event.endMs, () => lineOf({ event, seen }))
    }
  }
}

export function lineOf({ event, seen }: Gathering): string {
  const edges = seen.map(({ atMs, edges: on }) => `${clockOf(atMs)} ${on.toFixed(1)}`).join(', ')
  return `${event.what}, edges of a site that it is on: ${edges}`
}
