// Bodies that can be checked anywhere: the same seed and length always give the same bytes.
import { createHash } from 'node:crypto'

/** `length` bytes that depend on `seed` and position only; two seeds share no run of any length. */
export function bytesOf(seed: number, length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = (seed * 0x9e3779b1) >>> 0 || 1
  for (let i = 0; i < words.length; i++) {
    // xorshift32 (Marsaglia 2003)
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  return Buffer.from(words.buffer, 0, length)
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
