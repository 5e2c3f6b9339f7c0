// The search tree of a MaxMind DB file (format 2.0), walked by the words of an address: no text is made and nothing is
// allocated. It gives where the address' record stands in the file, the same number for all addresses that share it.
// The first bits of an address are looked up rather than walked: a tree of cities is larger than any processor's cache,
// and each step in it waits for memory.
import type { IpAddress } from '../net/ip.ts'

export interface MmdbTreeShape {
  readonly nodeCount: number
  /** Bits a branch: 24, 28 or 32. */
  readonly recordSize: number
  readonly ipVersion: number
}

/** Finds nothing. */
export const NO_RECORD = -1

/**
 * So many bits at once, four bytes for each value that they can have: half of the way through the IPv4 networks of a tree
 * of cities is in the four bits behind the sixteenth, and IPv6 addresses find no faster with more than sixteen.
 */
const JUMP_BITS = { 4: 20, 6: 16 } as const

export interface MmdbTree {
  /** A number that stands for one record of the data section; NO_RECORD where the file knows nothing. */
  readonly recordOf: (address: IpAddress) => number
  /**
   * Bits of the address that recordOf read, which was asked of it just now: all addresses that share them have its
   * record, or like it none.
   */
  readonly bitsRead: () => number
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
  let bits = 0
  /** From a node that the first `taken` bits of the word led to, up to its bit `end`; counts those that it reads. */
  const walk = (from: number, word: number, taken: number, end: number): number => {
    let node = from
    let bit = taken
    for (; bit < end && node < nodeCount; bit += 1) node = branchOf(bytes, node, (word >>> (31 - bit)) & 1)
    bits += bit - taken
    return node
  }
  // In a tree of both families the IPv4 networks lie below ::/96.
  let ipv4Root = 0
  if (ipVersion === 6) for (let i = 0; i < 3; i += 1) ipv4Root = walk(ipv4Root, 0, 0, 32)
  // Filled as they are asked for: to fill them at once would keep clients waiting whenever a file changes. No branch leads
  // to node 0, which is the root.
  const jumps = { 4: jumpTable(JUMP_BITS[4]), 6: jumpTable(ipVersion === 6 ? JUMP_BITS[6] : 0) }
  /** Where the first bits of an address lead to. */
  const jump = (family: 4 | 6, word: number): number => {
    const { nodes, lengths } = jumps[family]
    const place = word >>> (32 - JUMP_BITS[family])
    const known = nodes[place] ?? 0
    if (known !== 0) {
      bits = lengths[place] ?? 0
      return known
    }
    bits = 0
    const node = walk(family === 4 ? ipv4Root : 0, word, 0, JUMP_BITS[family])
    nodes[place] = node
    lengths[place] = bits
    return node
  }
  return {
    recordOf({ family, a, b, c, d }) {
      let node = 0
      if (family === 4) {
        node = walk(jump(4, d), d, JUMP_BITS[4], 32)
      } else {
        bits = 0
        // Asked for an IPv6 address, a tree of IPv4 networks would answer for its first 32 bits.
        if (ipVersion !== 6) return NO_RECORD
        node = walk(jump(6, a), a, JUMP_BITS[6], 32)
        node = walk(walk(walk(node, b, 0, 32), c, 0, 32), d, 0, 32)
      }
      // nodeCount itself stands for an empty branch; less is a tree that goes on past the last bit.
      return node > nodeCount ? node : NO_RECORD
    },
    bitsRead: () => bits,
  }
}

/** By the first bits of an address: the node, or record, that they lead to, and how many of them were read. */
function jumpTable(firstBits: number): { readonly nodes: Uint32Array; readonly lengths: Uint8Array } {
  const places = firstBits === 0 ? 0 : 2 ** firstBits
  return { nodes: new Uint32Array(places), lengths: new Uint8Array(places) }
}
