// The line by which a property's main playlists name the scheduler's steering list for their directory, so that a
// player asks there while it plays.
import { percentEncoded } from '../../src/http/percent.ts'
import type { EdgeConfig, WireProperty } from '../../src/wire/edge-config.ts'

export interface SteeringAnnouncement {
  /** In front of the playlist's path, and behind it. */
  readonly front: string
  readonly back: string
  /**
   * Only playlists that were asked for as redirects lead to them: a player that changes the host of their URIs finds
   * the property at another edge.
   */
  readonly of: 'prefixed' | 'byHost'
}

/** null: its players are not steered. `edgeId` tells the scheduler which edge their pathway `.` is. */
export function announcementOf(
  { id, announceSteering }: WireProperty,
  { steeringUrl, propertyLabels }: EdgeConfig,
  edgeId: string,
): SteeringAnnouncement | null {
  if (announceSteering !== true || steeringUrl === null) return null
  // As a URL is written, it holds no quotes.
  const base = new URL(steeringUrl).href.replace(/\/+$/, '')
  return {
    front: `#EXT-X-CONTENT-STEERING:SERVER-URI="${base}/.edgeward/steering/${id}?asset=`,
    back: `&from=${edgeId}",PATHWAY-ID="."`,
    of: propertyLabels ? 'byHost' : 'prefixed',
  }
}

/** `path`: of the playlist inside the property, normalised, without what admits to it. */
export function steeringLine({ front, back }: SteeringAnnouncement, path: string): string {
  return front + percentEncoded(path) + back
}
