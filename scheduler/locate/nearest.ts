// Which of some sites is nearest to a position. Nearly every client is looked for, so the sites lie in a table sorted by
// latitude, and a search goes from the client's outwards, no further than a nearer one could be.
import type { Position } from '../../src/geo/place.ts'
import type { SiteView } from '../topology.ts'
import { directionOf } from './sphere.ts'

interface SiteTable {
  /** Those that have a location, from south to north. */
  readonly sites: readonly SiteView[]
  /** x, y and z of each, and before and behind them of a place beyond either pole, at which any search ends. */
  readonly directions: Float64Array
  /** Of each, in the list that the table is of: of those as near as each other the first is meant. */
  readonly places: Uint32Array
}

/** By list of sites; lists are made once and never changed. */
const tables = new WeakMap<readonly SiteView[], SiteTable>()
/** Most clients are looked for in the same list, that of all sites. */
let last: { readonly sites: readonly SiteView[]; readonly table: SiteTable } | undefined

/** Undefined when no site has a location. */
export function nearestSite(sites: readonly SiteView[], position: Position): SiteView | undefined {
  if (last?.sites !== sites) last = { sites, table: tableOf(sites) }
  return searchNearest(last.table, position)
}

function tableOf(sites: readonly SiteView[]): SiteTable {
  const known = tables.get(sites)
  if (known !== undefined) return known
  const located = sites
    .flatMap((site, place) => (site.direction === undefined ? [] : [{ site, place, at: site.direction }]))
    .toSorted((one, other) => one.at.z - other.at.z)
  const table = {
    sites: located.map(({ site }) => site),
    directions: Float64Array.from([
      ...BEYOND_SOUTH,
      ...located.flatMap(({ at }) => [at.x, at.y, at.z]),
      ...BEYOND_NORTH,
    ]),
    places: Uint32Array.from(located, ({ place }) => place),
  }
  tables.set(sites, table)
  return table
}

const BEYOND_SOUTH = [0, 0, -Infinity]
const BEYOND_NORTH = [0, 0, Infinity]

/** More than rounding takes from a distance. */
const ROUNDING = 1e-9

function searchNearest({ sites, directions, places }: SiteTable, position: Position): SiteView | undefined {
  const { x, y, z } = directionOf(position)
  // Numbers of the table: site i is number i + 1.
  let north = northOf(directions, z)
  let south = north - 1
  let nearest = -1
  let best = -2
  /** The square of the difference in z up to which a site can be as near: no less than that of the distance. */
  let reach = Infinity
  for (;;) {
    const toNorth = (directions[3 * north + 2] ?? 0) - z
    const toSouth = z - (directions[3 * south + 2] ?? 0)
    const step = Math.min(toNorth, toSouth)
    if (step === Infinity || step * step > reach) return sites[nearest]
    const number = toNorth < toSouth ? north++ : south--
    const at = 3 * number
    const value = x * (directions[at] ?? 0) + y * (directions[at + 1] ?? 0) + z * (directions[at + 2] ?? 0)
    const i = number - 1
    if (value < best || (value === best && (places[i] ?? 0) > (places[nearest] ?? 0))) continue
    nearest = i
    best = value
    reach = 2 - 2 * best + ROUNDING
  }
}

/** The number of the first site that is no further south; of the end where none is. */
function northOf(directions: Float64Array, z: number): number {
  let low = 1
  let high = directions.length / 3 - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((directions[3 * middle + 2] ?? 0) < z) low = middle + 1
    else high = middle
  }
  return low
}
