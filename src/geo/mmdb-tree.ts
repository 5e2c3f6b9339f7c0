// The search tree of a MaxMind DB file (format 2.0), walked by the words of an address: no text is made and nothing is
// allocated. It gives where the address' record stands in the file, the same number for all addresses that share it.
import type { IpAddress } from '../net/ip.ts'

export interface MmdbTreeShape {
  readonly nodeCount: number
  /** Bits a branch: 24, 28 or 32. */
  readonly recordSize: number
  readonly ipVersion: number
}

/** Finds nothing. */
export const NO_RECORD = -1

export interface MmdbTree {
  /** A number that stands for one record of the data section; NO_RECORD where the file knows nothing. */
  recordOf(address: IpAddress): number
}

/** Gives the branch of a node: `side` 0 or 1. Reads beyond a damaged file's end count as 0. */
type BranchOf = (bytes: Uint8Array, node: number, side: number) => number

const BRANCHES: Readonly<Record<number, BranchOf>> = {
  24: (bytes, node, side) => {
    const at = node * 6 + side * 3
    return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
  },
  // Seven bytes a node: the one in the middle holds the first four bits of both branches.
  28: (bytes, node, side) => {
    const at = node * 7
    const middle = bytes[at + 3] ?? 0
    const high = side === 0 ? middle >>> 4 : middle & 0x0f
    const low = at + side * 4
    return (
      ((high << 24) | ((bytes[low] ?? 0) << 16) | ((bytes[low + 1] ?? 0) << 8) | (bytes[low + 2] ?? 0)) >>> 0
    )
  },
  32: (bytes, node, side) => {
    const at = node * 8 + side * 4
    return (
      (((bytes[at] ?? 0) << 24) |
        ((bytes[at + 1] ?? 0) << 16) |
        ((bytes[at + 2] ?? 0) << 8) |
        (bytes[at + 3] ?? 0)) >>>
      0
    )
  },
}

/** Throws when the tree is of no known shape. */
export function mmdbTree(bytes: Uint8Array, { nodeCount, recordSize, ipVersion }: MmdbTreeShape): MmdbTree {
  const branchOf = BRANCHES[recordSize]
  if (branchOf === undefined) throw new Error(`records of ${recordSize} bits`)
  const walk = (from: number, word: number, bits: number): number => {
    let node = from
    for (let bit = 31; bit > 31 - bits && node < nodeCount; bit -= 1) {
      node = branchOf(bytes, node, (word >>> bit) & 1)
    }
    return node
  }
  // In a tree of both families the IPv4 networks lie below ::/96.
  let ipv4Root = 0
  if (ipVersion === 6) for (let i = 0; i < 3; i += 1) ipv4Root = walk(ipv4Root, 0, 32)
  return {
    recordOf({ family, a, b, c, d }) {
      let node = ipv4Root
      if (family === 6) {
        // Asked for an IPv6 address, a tree of IPv4 networks would answer for its first 32 bits.
        if (ipVersion === 4) return NO_RECORD
        node = walk(walk(walk(0, a, 32), b, 32), c, 32)
      }
      node = walk(node, d, 32)
      // nodeCount itself stands for an empty branch; less is a tree that goes on past the last bit.
      return node > nodeCount ? node : NO_RECORD
    },
  }
}
