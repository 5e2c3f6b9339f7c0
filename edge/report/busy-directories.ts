// Which directories most bytes go out of: what the report says of hot assets. A table of fixed size, eight places for
// each hash, of which the slowest gives way; sums decay, so that it shows the last seconds. A request for a directory
// that it knows allocates nothing.
import { DIRECTORY_CHARS_MAX, REPORTED_DIRECTORIES_MAX } from '../../src/wire/report.ts'
import type { BusyDirectory } from '../../src/wire/report.ts'
import { BUSY_DECAY_MS, BUSY_DIRECTORIES_MAX, BUSY_SHARE_MIN } from '../limits.ts'

const WAYS = 8
const SETS = BUSY_DIRECTORIES_MAX / WAYS

interface Place {
  hash: number
  property: string
  path: string
  /** Sent from it, each bit worth less the longer ago. */
  bits: number
}

export class BusyDirectories {
  readonly #places: readonly Place[] = Array.from({ length: BUSY_DIRECTORIES_MAX }, () => ({
    hash: 0,
    property: '',
    path: '',
    bits: 0,
  }))

  /** `path` is that of a cache key: normalised, without query and tokens. */
  note(property: string, path: string, bodyBytes: number): void {
    const end = path.lastIndexOf('/', DIRECTORY_CHARS_MAX - 1) + 1
    const hash = hashOf(property, path, end)
    const first = ((hash >>> 0) % SETS) * WAYS
    let slowest: Place | undefined
    for (let i = first; i < first + WAYS; i++) {
      const place = this.#places[i]
      if (place === undefined) return
      // By the hash alone: comparing texts costs more than all else, and one in billions makes a report a little wrong.
      if (place.hash === hash && place.path.length === end) {
        place.bits += 8 * bodyBytes
        return
      }
      if (slowest === undefined || place.bits < slowest.bits) slowest = place
    }
    if (slowest === undefined) return
    slowest.hash = hash
    slowest.property = property
    slowest.path = path.slice(0, end)
    slowest.bits = 8 * bodyBytes
  }

  /** The busiest first, none that a hundredth goes out of. `sinceMs`: since this was asked last. */
  take(sinceMs: number): BusyDirectory[] {
    const kept = Math.exp(-sinceMs / BUSY_DECAY_MS)
    // What a steady rate adds up to, just before it decays.
    const seconds = sinceMs / 1000 / (1 - kept)
    const total = this.#places.reduce((sum, { bits }) => sum + bits, 0)
    const busiest = this.#places
      .filter(({ bits }) => bits >= BUSY_SHARE_MIN * total)
      .toSorted((a, b) => b.bits - a.bits)
      .slice(0, REPORTED_DIRECTORIES_MAX)
      .map(({ property, path, bits }) => ({ property, path, bitRate: Math.round(bits / seconds) }))
    for (const place of this.#places) place.bits *= kept
    return busiest.filter(({ bitRate }) => bitRate > 0)
  }
}

/** FNV-1a over the property and the first `end` characters of the path, finished as MurmurHash3 is. */
function hashOf(property: string, path: string, end: number): number {
  let hash = end
  for (let i = 0; i < property.length; i++) hash = Math.imul(hash ^ property.charCodeAt(i), 0x01000193)
  for (let i = 0; i < end; i++) hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
