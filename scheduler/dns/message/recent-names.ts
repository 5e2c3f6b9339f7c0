// Names that were asked for lately, found by their octets. Making a text of octets, and looking a new text up in a map,
// costs several times what it takes to compare one that is there; most queries are for a few names.
import { byteHash } from '../../../src/byte-hash.ts'
import { RECENT_NAMES } from '../limits.ts'
import type { WireName } from './names.ts'

export class RecentNames {
  readonly #names: WireName[] = Array.from({ length: RECENT_NAMES }, () => '')

  /** The text of the first `length` octets, which are lower-cased. */
  nameOf(octets: Buffer, length: number): WireName {
    const place = byteHash(octets, 0, length) & (RECENT_NAMES - 1)
    const known = this.#names[place] ?? ''
    if (isText(known, octets, length)) return known
    return (this.#names[place] = octets.toString('latin1', 0, length))
  }
}

function isText(text: string, octets: Uint8Array, length: number): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i += 1) if (text.charCodeAt(i) !== octets[i]) return false
  return true
}
