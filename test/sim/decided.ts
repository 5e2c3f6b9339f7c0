// A decision under check, and what it is held against.
import type { Steered } from '../../scheduler/steer-flow.ts'
import type { Asset } from './catalogue.ts'
import type { Client } from './clients.ts'
import { isTroubled, serves } from './fleet.ts'
import type { SimEdge } from './fleet.ts'
import type { Histogram } from './statistics.ts'
import type { Violations } from './violations.ts'
import type { City } from './world.ts'

export interface Decided {
  readonly steered: Steered
  readonly client: Client
  readonly asset: Asset
  readonly scheduler: string
  /** Of the simulation. */
  readonly atMs: number
}

export interface ChecksParts {
  readonly cities: readonly City[]
  readonly fleet: readonly SimEdge[]
  readonly violations: Violations
  /** Seconds between an edge's death and each client that was still sent there. */
  readonly lateSeconds: Record<Death, Histogram>
  /** Of a city's edges that serve: what is sent, of what they can send. */
  readonly utilisationOf: (city: number) => number
}

/** silent: its reports end. mute: it reports, and players cannot reach it. */
export type Death = 'silent' | 'mute'

/** An edge whose troubles are over for so long is back everywhere, damping included. */
export const RECOVERED_MS = 160_000

/** False: it could serve the client, and nothing was wrong with it for so long that nobody should remember. */
export function hasExcuse(edge: SimEdge, { client, asset, atMs }: Decided): boolean {
  if (atMs - edge.changedMs <= RECOVERED_MS || isTroubled(edge) || !serves(edge, client.family)) return true
  if (asset.property === 'uhd' && !edge.view.capabilities.has('uhd')) return true
  return edge.view.pinned !== null || !edge.view.families[client.family]
}
