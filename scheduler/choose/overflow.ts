// How many of a property's new clients go to another CDN as it nears its cap, and which. The share grows with the rate
// itself, evenly, so that it settles where as many clients come as leave; a switch at the cap would swing.
import type { IpAddress } from '../../src/net/ip.ts'
import { OVERFLOW_FROM } from '../limits.ts'
import { hash64OfWords, unitOf } from '../../src/rendezvous.ts'
import type { Hash64 } from '../../src/rendezvous.ts'

/** From 0 below OVERFLOW_FROM of the cap to 1 at the cap. */
export function overflowShareOf(bitRate: number, cap: number): number {
  const filled = (bitRate / cap - OVERFLOW_FROM) / (1 - OVERFLOW_FROM)
  return Math.min(1, Math.max(0, filled))
}

/** Always the same clients of an asset first: one that asks again stays where it is. */
export function isOverflow(share: number, key: Hash64, client: IpAddress | undefined): boolean {
  if (share <= 0 || share >= 1) return share >= 1
  const who = client === undefined ? key : hash64OfWords(client.a, client.b, client.c, client.d)
  return unitOf(key, who) < share
}
