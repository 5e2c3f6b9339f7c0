// The endless live channel: the recording's segments in a loop, on a window that slides with the clock.
// Nothing is stored: the same time gives the same playlist in every process.
import type { Track } from './media.ts'

/** Nominal; the segment of sequence number n covers the clock from n times this. */
export const SEGMENT_MS = 2000
/** Segments in a live playlist. */
export const WINDOW = 6
/** Segments behind the newest that are still served, for players that paused or lag. */
export const KEPT = 60

/** The last segment that is complete at `nowMs`. */
export function newestSequence(nowMs: number): number {
  return Math.floor(nowMs / SEGMENT_MS) - 1
}

/** The recording's segment behind a live sequence number; null when it is no longer or not yet there. */
export function findLiveSegment(
  track: Track,
  sequence: number,
  nowMs: number,
): Track['segments'][number] | null {
  const newest = newestSequence(nowMs)
  if (sequence > newest || sequence <= newest - KEPT) return null
  return track.segments[sequence % track.segments.length] ?? null
}

/** The media playlist of one track (RFC 8216 §4.3.3). */
export function livePlaylist(track: Track, nowMs: number): string {
  const newest = newestSequence(nowMs)
  const first = newest - WINDOW + 1
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${track.init === null ? 3 : 7}`,
    `#EXT-X-TARGETDURATION:${SEGMENT_MS / 1000}`,
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${wrapsLeftBehind(first, track.segments.length)}`,
    '#EXT-X-INDEPENDENT-SEGMENTS',
  ]
  if (track.init !== null) lines.push('#EXT-X-MAP:URI="init.mp4"')
  for (let sequence = first; sequence <= newest; sequence++) {
    const index = sequence % track.segments.length
    if (index === 0) lines.push('#EXT-X-DISCONTINUITY')
    if (index === 0 || sequence === first)
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${programDate(track, sequence)}`)
    lines.push(
      `#EXTINF:${(track.segments[index]?.seconds ?? 0).toFixed(6)},`,
      `seg-${sequence}.${track.extension}`,
    )
  }
  return `${lines.join('\n')}\n`
}

// §6.2.2: the number grows when a discontinuity tag leaves the playlist, and the tag stays for as long as the
// segment behind it; so a wrap at the very first segment is not counted yet.
function wrapsLeftBehind(first: number, segmentCount: number): number {
  return Math.ceil(first / segmentCount) - 1
}

// Each loop starts on the clock's grid. Inside it, audio segments are a frame longer or shorter than two
// seconds, so their dates follow their own durations.
function programDate(track: Track, sequence: number): string {
  const index = sequence % track.segments.length
  const before = track.segments.slice(0, index).reduce((sum, segment) => sum + segment.seconds, 0)
  return new Date((sequence - index) * SEGMENT_MS + Math.round(before * 1000)).toISOString()
}
