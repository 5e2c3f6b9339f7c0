// The bearer keys of edges: made here, kept by the edge, known to the scheduler by their hash only.
import { hash as digestOf, randomBytes, timingSafeEqual } from 'node:crypto'

const PREFIX = 'ewk_'
const KEY_BYTES = 32
const HASH_PREFIX = 'sha256:'
const HASH = /^sha256:[0-9a-f]{64}$/

/** 256 random bits; the prefix lets secret scanners find one that leaked. */
export function newKey(): string {
  return `${PREFIX}${randomBytes(KEY_BYTES).toString('base64url')}`
}

/** `sha256:` and 64 hex digits. A plain hash is enough for a random key of this length. */
export function hashKey(key: string): string {
  return `${HASH_PREFIX}${digestOf('sha256', key, 'hex')}`
}

/** Takes the same time wherever the two differ; false for a hash of another form. */
export function keyMatches(key: string, hash: string): boolean {
  return hashesMatch(hashKey(key), hash)
}

/** The same, of a key that was hashed already. */
export function hashesMatch(given: string, hash: string): boolean {
  return HASH.test(given) && HASH.test(hash) && timingSafeEqual(Buffer.from(given), Buffer.from(hash))
}
