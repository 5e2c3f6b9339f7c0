// The bearer keys of edges: made here, kept by the edge, known to the scheduler by their hash only.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

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
  return `${HASH_PREFIX}${createHash('sha256').update(key).digest('hex')}`
}

/** Takes the same time wherever the two differ; false for a hash of another form. */
export function keyMatches(key: string, hash: string): boolean {
  if (!HASH.test(hash)) return false
  const expected = Buffer.from(hash.slice(HASH_PREFIX.length), 'hex')
  return timingSafeEqual(createHash('sha256').update(key).digest(), expected)
}
