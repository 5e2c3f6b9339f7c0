// Which edges a bearer key belongs to.
import { hashKey, keyMatches } from '../../src/key.ts'
import type { EdgeView, Topology } from '../topology.ts'

const BEARER = /^Bearer ([\x21-\x7e]{1,256})$/i

/**
 * Usually one edge; none for a wrong or missing key. The look-up is by the key's hash, so its time tells
 * nothing of any key; the comparison that decides takes constant time.
 */
export function findKeyHolders(topology: Topology, authorization: string | undefined): readonly EdgeView[] {
  const key = BEARER.exec(authorization ?? '')?.[1]
  if (key === undefined) return []
  const holders = topology.edgesByKeyHash.get(hashKey(key)) ?? []
  return holders.filter((edge) => keyMatches(key, edge.keyHash))
}
