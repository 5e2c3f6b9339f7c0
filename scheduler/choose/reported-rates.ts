// What edges report of their busiest directories and of capped properties, added up while reports come in: each is
// worked through once, and a decision looks a sum up by hash. Segments lie below the playlist that steering hashes, so
// a directory counts for itself and for those above it.
import type { EdgeReport } from '../../src/wire/report.ts'
import {
  DOWN_AFTER_MS,
  HOT_ASSET_HOLD_MS,
  REPORTED_ANCESTORS_MAX,
  REPORTED_ASSETS_MAX,
  REPORTED_SWEEP_MS,
  UTILISATION_MAX,
} from '../limits.ts'
import { ageOf } from '../registry/registry.ts'
import type { Snapshot } from '../snapshot.ts'
import type { EdgeView, PropertyView, Topology } from '../topology.ts'
import { hash64 } from '../../src/rendezvous.ts'
import type { Hash64 } from '../../src/rendezvous.ts'
import { HashTable } from './hash-table.ts'

/** Whole bits a second, so that what is taken off leaves nothing behind. */
interface RateSum {
  bits: number
  /** The most that it was, fading since `heldAtMs`. */
  heldBits: number
  heldAtMs: number
}

/** What an edge adds, and to which sums: of a directory, its own and those of the ones above it. */
interface Part {
  readonly sums: readonly RateSum[]
  readonly bits: number
}

type Parts = ReadonlyMap<string, Part>

const NO_PARTS: Parts = new Map()

export class ReportedRates {
  /** By the hash of asset and site. */
  readonly #assets = new HashTable<RateSum>()
  /** Bounded by the capped properties. */
  readonly #properties = new Map<string, RateSum>()
  /** By `EdgeView.index`: the report that counts, and its parts. */
  readonly #counted: (EdgeReport | undefined)[] = []
  readonly #parts: Parts[] = []
  #sweptAtMs = -Infinity

  /** Replaces what each edge said by what it says now; an edge that is down says nothing. */
  take({ topology, reports }: Pick<Snapshot, 'topology' | 'reports'>, nowMs: number): void {
    for (const edge of topology.edges) {
      const seen = reports[edge.index]
      const report = seen !== undefined && ageOf(seen, nowMs) <= DOWN_AFTER_MS ? seen.report : undefined
      if (report === this.#counted[edge.index]) continue
      this.#counted[edge.index] = report
      const before = this.#parts[edge.index] ?? NO_PARTS
      for (const { sums, bits } of before.values()) for (const sum of sums) sum.bits -= bits
      this.#parts[edge.index] =
        report === undefined ? NO_PARTS : this.#partsOf(report, edge, topology, before)
      for (const { sums, bits } of this.#parts[edge.index]?.values() ?? []) {
        for (const sum of sums) addTo(sum, bits, nowMs)
      }
    }
    if (nowMs - this.#sweptAtMs >= REPORTED_SWEEP_MS) this.#sweep(nowMs)
  }

  /**
   * Bits a second of an asset at a site, by the words of their hash: up at once, down slowly, so that its edges do not
   * come and go.
   */
  assetBitRate(hi: number, lo: number, nowMs: number): number {
    const sum = this.#assets.get(hi, lo)
    return sum === undefined ? 0 : heldBitsOf(sum, nowMs)
  }

  /** Bits a second of a capped property on all edges, as they are. */
  propertyBitRate({ id }: PropertyView): number {
    return this.#properties.get(id)?.bits ?? 0
  }

  /** The sums of a directory that the edge's last report named too are known: nothing is hashed again. */
  #partsOf(report: EdgeReport, edge: EdgeView, { properties }: Topology, before: Parts): Parts {
    const parts = new Map<string, Part>()
    for (const { property, path, bitRate } of report.directories) {
      const bits = Math.round(Math.min(bitRate, edge.bandwidth))
      const name = `${property} ${path}`
      if (bits === 0 || parts.has(name) || properties.findById(property) === undefined) continue
      parts.set(name, { sums: before.get(name)?.sums ?? this.#assetSums(property, path, edge), bits })
    }
    for (const { id, bitRate } of report.properties) {
      if ((properties.findById(id)?.overflow ?? null) === null) continue
      const bits = Math.round(Math.min(bitRate, UTILISATION_MAX * edge.bandwidth))
      parts.set(id, { sums: [this.#propertySum(id)], bits })
    }
    return parts
  }

  #assetSums(property: string, path: string, edge: EdgeView): RateSum[] {
    const site = hash64(edge.siteId)
    return selfAndAbove(path).flatMap((directory) => this.#assetSum(hash64(property + directory), site) ?? [])
  }

  #assetSum(key: Hash64, site: Hash64): RateSum | undefined {
    const [hi, lo] = [key.hi ^ site.hi, key.lo ^ site.lo]
    const known = this.#assets.get(hi, lo)
    if (known !== undefined || this.#assets.size >= REPORTED_ASSETS_MAX) return known
    const sum = { bits: 0, heldBits: 0, heldAtMs: 0 }
    return this.#assets.add(hi, lo, sum) ? sum : undefined
  }

  #propertySum(id: string): RateSum {
    const sum = this.#properties.get(id) ?? { bits: 0, heldBits: 0, heldAtMs: 0 }
    this.#properties.set(id, sum)
    return sum
  }

  /** Forgets assets that nobody sends any more. */
  #sweep(nowMs: number): void {
    this.#sweptAtMs = nowMs
    this.#assets.keepOnly((sum) => sum.bits > 0 || heldBitsOf(sum, nowMs) >= FORGOTTEN_BITS)
  }
}

/** Less than makes any asset hot. */
const FORGOTTEN_BITS = 1e4

function addTo(sum: RateSum, bits: number, nowMs: number): void {
  const held = heldBitsOf(sum, nowMs)
  sum.bits += bits
  sum.heldBits = Math.max(held, sum.bits)
  sum.heldAtMs = nowMs
}

function heldBitsOf({ bits, heldBits, heldAtMs }: RateSum, nowMs: number): number {
  return Math.max(bits, heldBits * Math.exp(Math.min(0, heldAtMs - nowMs) / HOT_ASSET_HOLD_MS))
}

/** `/a/b/`, `/a/`, `/`: the nearest so many. */
function selfAndAbove(path: string): string[] {
  const directories: string[] = []
  let end = path.length
  while (end > 0 && directories.length < REPORTED_ANCESTORS_MAX) {
    directories.push(path.slice(0, end))
    end = end < 2 ? 0 : path.lastIndexOf('/', end - 2) + 1
  }
  return directories
}
