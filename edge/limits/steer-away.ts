// Where a request goes that this edge has no room for: back to the scheduler, with a word that it was here. One that
// has been sent back before is not sent again, so that two full edges do not throw it to and fro.
import { splitPrefix } from '../../src/property-index.ts'

/** Names an edge that is not to be chosen. The scheduler heeds it; it is no part of any cache key. */
const NOT_EDGE = '~not'

const SENT_BACK = /[?&]~not=/

/** `target` as received, with whatever admits it. null: it has been sent back before. */
export function steerAwayUrl(
  steeringUrl: string,
  propertyId: string,
  target: string,
  edgeId: string,
): string | null {
  if (SENT_BACK.test(target)) return null
  const { path } = splitPrefix(target)
  return `${steeringUrl}/~${propertyId}${path}${path.includes('?') ? '&' : '?'}${NOT_EDGE}=${edgeId}`
}
