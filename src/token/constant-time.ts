// Comparing what a client presents with what a key gives, so that the time taken tells nothing about either.
import { timingSafeEqual } from 'node:crypto'

/**
 * Whether `presented` is what any of the keys gives. All keys are tried, found or not; only a difference in length
 * shows, and the length is that of the hash, which is no secret. Both are Latin-1 texts.
 */
export function matchesAny<Key>(
  presented: string,
  keys: readonly Key[],
  expectedBy: (key: Key) => string,
): boolean {
  const bytes = Buffer.from(presented, 'latin1')
  let matches = 0
  for (const key of keys) {
    const expected = Buffer.from(expectedBy(key), 'latin1')
    if (expected.length === bytes.length) matches |= Number(timingSafeEqual(expected, bytes))
  }
  return matches !== 0
}
