// The lines of an HLS playlist and the attribute lists in its tags (RFC 8216bis §4.1, §4.2). Texts are latin1 of the
// bytes: one character a byte, so that what is not understood leaves as it came. Every search ends with its line:
// no text takes more than linear time.

/** A playlist longer than this is not read as one. */
export const PLAYLIST_BYTES_MAX = 2 * 2 ** 20
export const PLAYLIST_LINES_MAX = 50_000

/** Why bytes are not read as a playlist. */
export type PlaylistRefusal = 'not-a-playlist' | 'too-long' | 'too-many-lines'

/** `#EXTM3U`, and nothing but space behind it on its line (§4.4.1.1). A byte order mark is let pass. */
const OPENING = /^(?:\xef\xbb\xbf)?#EXTM3U[ \t]*(?:\r?\n|\r?$)/

const BYTE_ORDER_MARK = '\xef\xbb\xbf'

export function beginsLikePlaylist(bytes: Buffer): boolean {
  return OPENING.test(bytes.toString('latin1', 0, 64))
}

/** The text of a playlist, or why it is not read as one. */
export function openPlaylist(bytes: Buffer): { text: string } | { refused: PlaylistRefusal } {
  if (!beginsLikePlaylist(bytes)) return { refused: 'not-a-playlist' }
  if (bytes.length > PLAYLIST_BYTES_MAX) return { refused: 'too-long' }
  return { text: bytes.toString('latin1') }
}

/**
 * Calls `visit` with the bounds of each line that is not blank, white space at its ends left out. False when there
 * are more lines than a playlist may have.
 */
export function eachLine(text: string, visit: (start: number, end: number) => void): boolean {
  let at = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0
  for (let lines = 0; at < text.length; lines++) {
    if (lines === PLAYLIST_LINES_MAX) return false
    const newline = text.indexOf('\n', at)
    const next = newline < 0 ? text.length : newline
    let start = at
    let end = next
    while (end > start && isBlank(text.charCodeAt(end - 1))) end--
    while (start < end && isBlank(text.charCodeAt(start))) start++
    if (end > start) visit(start, end)
    at = next + 1
  }
  return true
}

/** Where the tag's name ends: at its colon, or with the line. */
export function tagEnd(line: string): number {
  const colon = line.indexOf(':')
  return colon < 0 ? line.length : colon
}

/** Calls `visit` for each attribute of a line from `from` on; `start` and `end` bound its value, quotes left out. */
export function eachAttribute(
  line: string,
  from: number,
  visit: (name: string, start: number, end: number) => void,
): void {
  let at = from
  while (at < line.length) {
    const equals = line.indexOf('=', at)
    if (equals < 0) return
    // What stands before a comma without `=` is no attribute; the next one may be.
    const before = line.slice(at, equals)
    const name = before.slice(before.lastIndexOf(',') + 1).trim()
    let start = equals + 1
    let end: number
    if (line[start] === '"') {
      start++
      end = line.indexOf('"', start)
      // Without its closing quote there is no telling where it ends.
      if (end < 0) return
    } else {
      end = line.indexOf(',', start)
      if (end < 0) end = line.length
    }
    visit(name, start, end)
    const comma = line.indexOf(',', end)
    if (comma < 0) return
    at = comma + 1
  }
}

/** Name → value; of a name given twice, which is wrong, the first. */
export function attributesOf(line: string, from: number): Map<string, string> {
  const found = new Map<string, string>()
  eachAttribute(line, from, (name, start, end) => {
    if (!found.has(name)) found.set(name, line.slice(start, end))
  })
  return found
}

const CR = 13
const SPACE = 32
const TAB = 9

function isBlank(code: number): boolean {
  return code === CR || code === SPACE || code === TAB
}
