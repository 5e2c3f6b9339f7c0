// Hosts as a request's head has them, as bytes: found without making text of them. Only what stands there just as it was
// configured is found; ports, capitals and suffixes are for src/property-index.ts.
import { byteHash } from './byte-hash.ts'
import { propertiesByHost } from './property-index.ts'
import type { Hosted } from './property-index.ts'

interface Entry<P> {
  readonly host: Uint8Array
  readonly property: P
}

/** Places for each host: few of them meet. */
const SPARE = 4

/** Hosts are the operator's: nobody makes them meet. */
export class HostTable<P extends Hosted> {
  readonly #places: (Entry<P> | undefined)[]
  readonly #mask: number

  constructor(properties: readonly P[]) {
    const byHost = propertiesByHost(properties)
    const count = 2 ** Math.ceil(Math.log2(SPARE * Math.max(1, byHost.size)))
    this.#mask = count - 1
    this.#places = Array.from({ length: count }, () => undefined)
    for (const [name, property] of byHost) {
      const host = Buffer.from(name, 'latin1')
      let place = byteHash(host, 0, host.length) & this.#mask
      while (this.#places[place] !== undefined) place = (place + 1) & this.#mask
      this.#places[place] = { host, property }
    }
  }

  /** What stands in `bytes` from `start` to `end`. */
  find(bytes: Uint8Array, start: number, end: number): P | undefined {
    let place = byteHash(bytes, start, end) & this.#mask
    for (;;) {
      const entry = this.#places[place]
      // There are more places than hosts.
      if (entry === undefined) return undefined
      if (isAt(entry.host, bytes, start, end)) return entry.property
      place = (place + 1) & this.#mask
    }
  }
}

function isAt(host: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (host.length !== end - start) return false
  for (let i = 0; i < host.length; i++) if (host[i] !== bytes[start + i]) return false
  return true
}
