// Which edge runs which configuration, by what edges report: when each was first heard to run what it runs, and how it
// stands to what this scheduler wants. It does no I/O; snapshots feed it.
import type { ConfigStatus, ConfigVersion, EdgeConfigState } from '../../src/wire/config-rollout.ts'
import { DOWN_AFTER_MS } from '../limits.ts'
import { placesBefore } from '../places-before.ts'
import { ageOf } from '../registry/registry.ts'
import type { SeenReport } from '../registry/registry.ts'
import type { Snapshot } from '../snapshot.ts'

export type EdgeRollout = ConfigStatus['edges'][number]

interface Told {
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly atMs: number
}

/** Bounded by the configured edges: with a snapshot of others, it forgets. */
export class EdgeAcknowledgements {
  /** By `EdgeView.index`. */
  #told: (Told | undefined)[] = []
  #last: Pick<Snapshot, 'topology' | 'reports'> | null = null

  /** Told of each snapshot; `nowMs` is monotonic, `wallMs` the same moment since the epoch. */
  hear({ topology, reports }: Snapshot, nowMs: number, wallMs: number): void {
    if (topology !== this.#last?.topology) this.#moveTo(topology)
    const before = this.#last?.reports ?? []
    this.#last = { topology, reports }
    for (let i = 0; i < reports.length; i++) {
      const seen = reports[i]
      if (seen === undefined || seen === before[i]) continue
      const version = seen.report.configVersion
      if (version !== this.#told[i]?.version) this.#told[i] = { version, atMs: wallMs - ageOf(seen, nowMs) }
    }
  }

  of(edge: string): Told | undefined {
    return this.#told[this.#last?.topology.edgesById.get(edge)?.index ?? -1]
  }

  #moveTo({ edges }: Snapshot['topology']): void {
    const places = placesBefore(edges, this.#last?.topology.edges ?? [])
    this.#told = places.map((place) => (place === undefined ? undefined : this.#told[place]))
    // By other places.
    this.#last = null
  }
}

/** `wanted`: what edges call the configuration that they should run. */
export function edgeRollouts(
  { topology, reports }: Snapshot,
  wanted: string,
  acknowledged: Pick<EdgeAcknowledgements, 'of'>,
  versions: readonly ConfigVersion[],
  nowMs: number,
): EdgeRollout[] {
  return topology.edges.map(({ id, siteId, index }) => {
    const seen = reports[index]
    const told = acknowledged.of(id)
    const state = stateOf(seen, wanted, nowMs)
    return {
      id,
      site: siteId,
      state,
      version: versions.findLast(({ edgeVersion }) => edgeVersion === told?.version)?.number ?? null,
      acknowledgedAtMs: told === undefined || told.version === '' ? null : told.atMs,
      reason: state === 'refused' ? (seen?.report.configRefused?.reason ?? null) : null,
    }
  })
}

function stateOf(seen: SeenReport | undefined, wanted: string, nowMs: number): EdgeConfigState {
  if (seen === undefined || ageOf(seen, nowMs) > DOWN_AFTER_MS) return 'silent'
  const { configVersion, configRefused } = seen.report
  if (configVersion === wanted) return 'applied'
  return configRefused?.version === wanted ? 'refused' : 'pending'
}
