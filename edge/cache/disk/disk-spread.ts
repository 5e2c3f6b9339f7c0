// Which of several cache directories a slice belongs to: rendezvous hashing weighted by size. A directory that
// is left out hands its slices to the others, and one that is added takes its share from each.
import { hash } from 'node:crypto'

export interface Place {
  readonly path: string
  readonly bytesMax: number
  readonly quarantined: boolean
}

/** `word`: 32 bits of the slice's name. undefined when no directory is in use. */
export function spread<T extends Place>(word: number, places: readonly T[]): T | undefined {
  let best: T | undefined
  let bestScore = Number.NEGATIVE_INFINITY
  for (const place of places) {
    if (place.quarantined) continue
    if (places.length === 1) return place
    const score = place.bytesMax / -Math.log(unitOf(word, saltOf(place)))
    if (score <= bestScore) continue
    best = place
    bestScore = score
  }
  return best
}

const salts = new WeakMap<Place, number>()

function saltOf(place: Place): number {
  let salt = salts.get(place)
  if (salt === undefined) {
    salt = Number.parseInt(hash('sha256', place.path, 'hex').slice(0, 8), 16)
    salts.set(place, salt)
  }
  return salt
}

/** In (0, 1), from both words alike (the finaliser of MurmurHash3). */
function unitOf(word: number, salt: number): number {
  let mixed = word ^ salt
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (((mixed ^ (mixed >>> 16)) >>> 0) + 0.5) / 2 ** 32
}
