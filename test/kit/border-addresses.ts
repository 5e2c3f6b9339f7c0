// Addresses by which a network or prefix that is off by one shows: around its ends, and all over it.
import type { IpAddress, IpNetwork } from '../../src/net/ip.ts'

/** Its first and last address, and their neighbours outside; those of its family alone. */
export function borderAddresses({ address: first, prefixLength }: IpNetwork): IpAddress[] {
  const bits = first.family === 4 ? 32 : 128
  const value = valueOf(first)
  const last = value | ((1n << BigInt(bits - prefixLength)) - 1n)
  return [value - 1n, value, last, last + 1n]
    .filter((at) => at >= 0n && at < 1n << BigInt(bits))
    .map((at) => addressAt(first.family, at))
}

/** Addresses that share the first `bits`: one for each bit after them turned, both ends, and one that ends as `rest`. */
export function addressesSharing(address: IpAddress, bits: number, rest: bigint): IpAddress[] {
  const width = (address.family === 4 ? 32 : 128) - bits
  const value = valueOf(address)
  const prefix = (value >> BigInt(width)) << BigInt(width)
  const turned = Array.from({ length: width }, (_, bit) => value ^ (1n << BigInt(bit)))
  const ends = [0n, -1n, rest].map((end) => prefix | BigInt.asUintN(width, end))
  return [...turned, ...ends].map((at) => addressAt(address.family, at))
}

function valueOf({ a, b, c, d }: IpAddress): bigint {
  return [a, b, c, d].reduce((value, word) => (value << 32n) | BigInt(word), 0n)
}

function addressAt(family: 4 | 6, value: bigint): IpAddress {
  const word = (at: bigint) => Number((value >> at) & 0xffff_ffffn)
  return { family, a: word(96n), b: word(64n), c: word(32n), d: word(0n) }
}
