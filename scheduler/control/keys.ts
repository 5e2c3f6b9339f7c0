// Which edges a bearer key belongs to.
import { timingSafeEqual } from 'node:crypto'
import { hashesMatch, hashKey } from '../../src/key.ts'
import type { EdgeView, Topology } from '../topology.ts'

const BEARER = /^Bearer ([\x21-\x7e]{1,256})$/i

/**
 * Usually one edge; none for a wrong or missing key. The look-up is by the key's hash, so its time tells
 * nothing of any key; the comparison that decides takes constant time.
 */
export function findKeyHolders(topology: Topology, authorization: string | undefined): readonly EdgeView[] {
  const key = BEARER.exec(authorization ?? '')?.[1]
  if (key === undefined) return []
  // Once: every report pays for it.
  const hash = hashKey(key)
  const holders = topology.edgesByKeyHash.get(hash) ?? []
  return holders.filter((edge) => hashesMatch(hash, edge.keyHash))
}

/** The same for one connection, whose edge sends the same key with each report. */
export class ConnectionKey {
  #topology: Topology | null = null
  #given = Buffer.alloc(0)
  #holders: readonly EdgeView[] = []

  findHolders(topology: Topology, authorization: string | undefined): readonly EdgeView[] {
    const given = Buffer.from(authorization ?? '', 'latin1')
    const isLast = given.length === this.#given.length && timingSafeEqual(given, this.#given)
    if (isLast && topology === this.#topology) return this.#holders
    this.#topology = topology
    this.#given = given
    return (this.#holders = findKeyHolders(topology, authorization))
  }
}
