// SipHash-2-4 with a result of 64 bits (Aumasson and Bernstein, 2012): a short keyed hash that who does not know the
// key cannot steer. Server cookies are made with it, and the buckets of the rate limit are found by it.
// Each 64-bit word is a pair of 32-bit integers, as BigInt would allocate for every step of every round.
import assert from 'node:assert/strict'

/** Octets of a key, and of a hash. */
export const SIP_KEY_OCTETS = 16
export const SIP_HASH_OCTETS = 8

/** The key's two words in halves: low and high of the first, low and high of the second. */
export type SipKey = Int32Array

export function sipKeyOf(octets: Uint8Array): SipKey {
  assert.equal(octets.length, SIP_KEY_OCTETS)
  return Int32Array.of(word(octets, 0), word(octets, 4), word(octets, 8), word(octets, 12))
}

/** Writes the hash of the first `length` octets of `data` into `into` from `at`, in the reference's order of octets. */
export function sipHash24(key: SipKey, data: Uint8Array, length: number, into: Uint8Array, at: number): void {
  const k0l = key[0] ?? 0
  const k0h = key[1] ?? 0
  const k1l = key[2] ?? 0
  const k1h = key[3] ?? 0
  let v0l = k0l ^ 0x70736575
  let v0h = k0h ^ 0x736f6d65
  let v1l = k1l ^ 0x6e646f6d
  let v1h = k1h ^ 0x646f7261
  let v2l = k0l ^ 0x6e657261
  let v2h = k0h ^ 0x6c796765
  let v3l = k1l ^ 0x79746573
  let v3h = k1h ^ 0x74656462
  const wholeEnd = length - (length % 8)
  // The words of the data, the rest with the length in its last octet, and the end: 4 rounds on a word of zeros.
  for (let from = 0; from <= wholeEnd + 8; from += 8) {
    let low = 0
    let high = 0
    let rounds = 2
    if (from < wholeEnd) {
      low = word(data, from)
      high = word(data, from + 4)
    } else if (from === wholeEnd) {
      low = rest(data, from, length)
      high = rest(data, from + 4, length) | (length << 24)
    } else {
      v2l ^= 0xff
      rounds = 4
    }
    v3l ^= low
    v3h ^= high
    for (; rounds > 0; rounds--) {
      let turned = 0
      v0l = (v0l + v1l) | 0
      v0h = (v0h + v1h + carry(v0l, v1l)) | 0
      turned = (v1l << 13) | (v1h >>> 19)
      v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h
      v1l = turned ^ v0l
      turned = v0l
      v0l = v0h
      v0h = turned

      v2l = (v2l + v3l) | 0
      v2h = (v2h + v3h + carry(v2l, v3l)) | 0
      turned = (v3l << 16) | (v3h >>> 16)
      v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h
      v3l = turned ^ v2l

      v0l = (v0l + v3l) | 0
      v0h = (v0h + v3h + carry(v0l, v3l)) | 0
      turned = (v3l << 21) | (v3h >>> 11)
      v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h
      v3l = turned ^ v0l

      v2l = (v2l + v1l) | 0
      v2h = (v2h + v1h + carry(v2l, v1l)) | 0
      turned = (v1l << 17) | (v1h >>> 15)
      v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h
      v1l = turned ^ v2l
      turned = v2l
      v2l = v2h
      v2h = turned
    }
    v0l ^= low
    v0h ^= high
  }
  putWord(into, at, v0l ^ v1l ^ v2l ^ v3l)
  putWord(into, at + 4, v0h ^ v1h ^ v2h ^ v3h)
}

/** What adding `added` carried beyond 32 bits, if it made `sum`. */
function carry(sum: number, added: number): number {
  return sum >>> 0 < added >>> 0 ? 1 : 0
}

function word(octets: Uint8Array, at: number): number {
  return (
    (octets[at] ?? 0) |
    ((octets[at + 1] ?? 0) << 8) |
    ((octets[at + 2] ?? 0) << 16) |
    ((octets[at + 3] ?? 0) << 24)
  )
}

/** A word of which only the octets before `end` count. */
function rest(octets: Uint8Array, at: number, end: number): number {
  let value = 0
  for (let i = Math.min(end, at + 4) - 1; i >= at; i--) value = (value << 8) | (octets[i] ?? 0)
  return value
}

function putWord(into: Uint8Array, at: number, value: number): void {
  into[at] = value
  into[at + 1] = value >>> 8
  into[at + 2] = value >>> 16
  into[at + 3] = value >>> 24
}
