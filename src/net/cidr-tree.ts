// An immutable map from networks to values, asked by longest prefix: coverage, trusted proxies, address rules.
// Nested networks are flattened once into disjoint ranges, each owned by its longest prefix; a lookup is then
// one binary search over typed arrays and allocates nothing. What a range leads to is shared by all networks of one
// value and length, so that a network costs 16 bytes (IPv6: 40) for the two ends of its range.
import { compareIp } from './ip.ts'
import type { IpAddress, IpNetwork } from './ip.ts'

export interface CidrMatch<T> {
  readonly value: T
  /** Of the network that matched. A longer one may lie inside it: what an answer depended on is `scopeOf`. */
  readonly prefixLength: number
}

export interface CidrTree<T> {
  /** Networks held; of equal ones only the last counts. */
  readonly size: number
  /** The longest network that contains the address. */
  find(address: IpAddress): CidrMatch<T> | undefined
  /**
   * Bits of the shortest prefix whose addresses all find what this one finds, be it nothing; 0 when its whole family
   * does. The scope of a DNS answer (RFC 7871 §7.2.1).
   */
  scopeOf(address: IpAddress): number
}

export function buildCidrTree<T>(entries: Iterable<{ network: IpNetwork; value: T }>): CidrTree<T> {
  const sorted = distinct(entries)
  const size = sorted.length
  const v4 = searchV4(flatten(sorted.filter((owned) => owned.network.address.family === 4)))
  const v6 = searchV6(flatten(sorted.filter((owned) => owned.network.address.family === 6)))
  return {
    size,
    find: (address) => (address.family === 4 ? v4.find(address) : v6.find(address)),
    scopeOf: (address) => scopeIn(address.family === 4 ? v4 : v6, address),
  }
}

/**
 * Outer networks before those inside them. A function of its own, as the searches below: what `find` keeps alive for
 * ever is then only what it reads.
 */
function distinct<T>(entries: Iterable<{ network: IpNetwork; value: T }>): OwnedNetwork<T>[] {
  const networks: OwnedNetwork<T>[] = []
  const matches = new Map<T, CidrMatch<T>[]>()
  for (const { network, value } of entries) {
    const ofValue = matches.get(value) ?? []
    matches.set(value, ofValue)
    const { prefixLength } = network
    networks.push({ network, match: (ofValue[prefixLength] ??= { value, prefixLength }) })
  }
  // Stable, so that the last of two equals stays last.
  networks.sort((x, y) => compareIp(x.network.address, y.network.address) || lengthOf(x) - lengthOf(y))
  return networks.filter((owned, i) => {
    const next = networks[i + 1]
    return next === undefined || !sameNetwork(owned.network, next.network)
  })
}

interface OwnedNetwork<T> {
  network: IpNetwork
  match: CidrMatch<T>
}

/** From `start` up to the next range's start; no match where no network is. */
interface Range<T> {
  start: IpAddress
  match: CidrMatch<T> | undefined
}

function lengthOf<T>(owned: OwnedNetwork<T>): number {
  return owned.network.prefixLength
}

function sameNetwork(x: IpNetwork, y: IpNetwork): boolean {
  return x.prefixLength === y.prefixLength && compareIp(x.address, y.address) === 0
}

/** Walks the sorted networks with the stack of those that are open, and notes where the innermost changes. */
function flatten<T>(sorted: readonly OwnedNetwork<T>[]): Range<T>[] {
  const ranges: Range<T>[] = []
  const open: { after: IpAddress | undefined; match: CidrMatch<T> }[] = []
  const note = (start: IpAddress, match: CidrMatch<T> | undefined) => {
    const last = ranges.at(-1)
    if (last !== undefined && compareIp(last.start, start) === 0) {
      last.match = match
      // Networks that touch may now be one range.
      if (ranges.length > 1 && ranges.at(-2)?.match === match) ranges.pop()
    } else if (last?.match !== match) ranges.push({ start, match })
  }
  const closeUntil = (start: IpAddress | undefined) => {
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const ends = top.after !== undefined && (start === undefined || compareIp(top.after, start) <= 0)
      if (start !== undefined && !ends) return
      open.pop()
      if (top.after !== undefined) note(top.after, open.at(-1)?.match)
    }
  }
  for (const { network, match } of sorted) {
    closeUntil(network.address)
    note(network.address, match)
    open.push({ after: firstAfter(network), match })
  }
  closeUntil(undefined)
  return ranges
}

/** The first address beyond a network; undefined when it reaches the end of the address space. */
function firstAfter({ address, prefixLength }: IpNetwork): IpAddress | undefined {
  const words = [address.a, address.b, address.c, address.d]
  const firstWord = address.family === 4 ? 3 : 0
  if (prefixLength === 0) return undefined
  // Adds 1 at the last bit of the prefix and carries towards the front.
  let index = firstWord + Math.floor((prefixLength - 1) / 32)
  let add = 2 ** (31 - ((prefixLength - 1) % 32))
  for (; index >= firstWord; index -= 1) {
    const sum = (words[index] ?? 0) + add
    words[index] = sum % 2 ** 32
    if (sum < 2 ** 32) {
      const [a = 0, b = 0, c = 0, d = 0] = words
      return { family: address.family, a, b, c, d }
    }
    add = 1
  }
  return undefined
}

/** The ranges of one family, in order; no two neighbours have the same match. */
interface Search<T> {
  readonly count: number
  /** The first address of a range. */
  readonly startOf: (range: number) => IpAddress
  /** Ranges that start at the address or before it: the last of them holds it. */
  readonly countUpTo: (address: IpAddress) => number
  readonly find: (address: IpAddress) => CidrMatch<T> | undefined
}

/** Of the addresses with another match, the two just outside the range share the most bits with those in it. */
function scopeIn<T>({ count, startOf, countUpTo }: Search<T>, address: IpAddress): number {
  const after = countUpTo(address)
  const below = after === 0 ? undefined : lastBefore(startOf(after - 1))
  const above = after === count ? undefined : startOf(after)
  return Math.max(bitsToTell(address, below), bitsToTell(address, above))
}

/** Undefined for the first of the address space. */
function lastBefore({ family, a, b, c, d }: IpAddress): IpAddress | undefined {
  if (d > 0) return { family, a, b, c, d: d - 1 }
  if (c > 0) return { family, a, b, c: c - 1, d: LAST_WORD }
  if (b > 0) return { family, a, b: b - 1, c: LAST_WORD, d: LAST_WORD }
  if (a > 0) return { family, a: a - 1, b: LAST_WORD, c: LAST_WORD, d: LAST_WORD }
  return undefined
}

const LAST_WORD = 0xffff_ffff

/** How many leading bits tell two addresses of one family apart; none when there is no other. */
function bitsToTell(x: IpAddress, y: IpAddress | undefined): number {
  if (y === undefined) return 0
  if (x.family === 4) return Math.clz32(x.d ^ y.d) + 1
  if (x.a !== y.a) return Math.clz32(x.a ^ y.a) + 1
  if (x.b !== y.b) return Math.clz32(x.b ^ y.b) + 33
  if (x.c !== y.c) return Math.clz32(x.c ^ y.c) + 65
  return Math.clz32(x.d ^ y.d) + 97
}

/** What each range leads to, as a number a range. */
function matchesOf<T>(ranges: readonly Range<T>[]): (range: number) => CidrMatch<T> | undefined {
  const matches = [...new Set(ranges.map((range) => range.match))]
  const numbers = new Map(matches.map((match, number) => [match, number]))
  const numberOf = Uint32Array.from(ranges, (range) => numbers.get(range.match) ?? 0)
  return (range) => matches[numberOf[range] ?? 0]
}

function searchV4<T>(ranges: readonly Range<T>[]): Search<T> {
  const starts = Uint32Array.from(ranges, (range) => range.start.d)
  const matchOf = matchesOf(ranges)
  const countUpTo = ({ d }: IpAddress): number => {
    let low = 0
    let high = starts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((starts[middle] ?? 0) <= d) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    count: starts.length,
    startOf: (range) => ({ family: 4, a: 0, b: 0, c: 0, d: starts[range] ?? 0 }),
    countUpTo,
    find(address) {
      const after = countUpTo(address)
      return after === 0 ? undefined : matchOf(after - 1)
    },
  }
}

function searchV6<T>(ranges: readonly Range<T>[]): Search<T> {
  const count = ranges.length
  // Four words a start, side by side: one comparison reads one cache line.
  const starts = new Uint32Array(ranges.length * 4)
  for (const [i, { start }] of ranges.entries()) starts.set([start.a, start.b, start.c, start.d], i * 4)
  const matchOf = matchesOf(ranges)
  const startOf = (range: number): IpAddress => {
    const [a = 0, b = 0, c = 0, d = 0] = starts.subarray(range * 4, range * 4 + 4)
    return { family: 6, a, b, c, d }
  }
  const startsAtOrBefore = (range: number, { a, b, c, d }: IpAddress): boolean => {
    const at = range * 4
    const startA = starts[at] ?? 0
    if (startA !== a) return startA < a
    const startB = starts[at + 1] ?? 0
    if (startB !== b) return startB < b
    const startC = starts[at + 2] ?? 0
    if (startC !== c) return startC < c
    return (starts[at + 3] ?? 0) <= d
  }
  const countUpTo = (address: IpAddress): number => {
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (startsAtOrBefore(middle, address)) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    count,
    startOf,
    countUpTo,
    find(address) {
      const after = countUpTo(address)
      return after === 0 ? undefined : matchOf(after - 1)
    },
  }
}
