// Puts EXT-X-CONTENT-STEERING (RFC 8216bis §4.4.6.6) into a main playlist that steers nobody yet. Its variants have no
// PATHWAY-ID: all are of the pathway `.`, which the line names as the one to begin with (§7.1).
import { eachLine, tagEnd } from './lines.ts'

/** The first line; a byte order mark is let pass. Playlists are of the kind that `beginsLikePlaylist` takes. */
const FIRST_LINE = /^[^\n]*?(\r?\n)/

/** `text` is latin1 of a playlist's bytes, `line` the tag without its end. Gives the same string when nothing changes. */
export function announceSteering(text: string, line: string): string {
  const [first, newline] = FIRST_LINE.exec(text) ?? []
  if (first === undefined || newline === undefined || !canBeSteered(text)) return text
  return `${first}${line}${newline}${text.slice(first.length)}`
}

/** It has variants, and pathways of its own neither by tag nor by attribute. */
function canBeSteered(text: string): boolean {
  // Most playlists are media playlists, and one search says so.
  if (!text.includes('#EXT-X-STREAM-INF:')) return false
  let variants = false
  let steered = false
  const complete = eachLine(text, (start, end) => {
    if (!text.startsWith('#EXT-X-', start)) return
    const line = text.slice(start, end)
    const tag = line.slice(0, tagEnd(line))
    if (tag === '#EXT-X-STREAM-INF') variants = true
    steered ||= NOT_STEERED_WITH.has(tag) || line.includes('PATHWAY-ID=')
  })
  return complete && variants && !steered
}

/** The second is of media playlists alone: what has both is neither. */
const NOT_STEERED_WITH = new Set(['#EXT-X-CONTENT-STEERING', '#EXT-X-TARGETDURATION'])
