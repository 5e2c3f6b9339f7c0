// Which edges a bearer key belongs to.
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
