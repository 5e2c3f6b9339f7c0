// Domain names in wire form as text: one character an octet, lower-cased (RFC 4343), so that a name is a map's key and
// two names are equal when their texts are. Labels are counted, never searched for: a label may hold any octet.

/** Length octets, labels and the root's zero: `\x03www\x07example\x03com\x00`. Never over 255 octets. */
export type WireName = string

export const ROOT: WireName = '\0'

/** RFC 1035 §2.3.4. */
export const LABEL_BYTES_MAX = 63
export const NAME_BYTES_MAX = 255

/** A character, one that is escaped, or an octet as three decimal digits (RFC 1035 §5.1). */
const PIECES = /\\\d{3}|\\[!-/:-~]|[!-[\]-~]/g
/** What would read as something else in a zone file, and what does not print. */
const ESCAPED = /[^!-~]|["$().;@\\]/g

/** Of presentation form, with or without the final dot; undefined when it is no name. */
export function wireNameOf(text: string): WireName | undefined {
  if (text === '.') return ROOT
  const pieces = text.match(PIECES) ?? []
  if (pieces.join('').length !== text.length) return undefined
  let name = ''
  let label = ''
  for (const piece of [...pieces, ...(pieces.at(-1) === '.' ? [] : ['.'])]) {
    if (piece === '.') {
      if (label === '' || label.length > LABEL_BYTES_MAX) return undefined
      name += String.fromCharCode(label.length) + label
      label = ''
    } else {
      const code = octetOf(piece)
      if (code > 255) return undefined
      label += String.fromCharCode(code)
    }
  }
  if (name.length >= NAME_BYTES_MAX) return undefined
  // A length is at most 63, which is no letter.
  return name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()) + ROOT
}

/** With the final dot; `.` for the root. */
export function formatName(name: WireName): string {
  if (name === ROOT) return '.'
  return labelsOf(name)
    .map((label) => `${label.replaceAll(ESCAPED, escapedOctet)}.`)
    .join('')
}

/** Without the first label; undefined for the root. */
export function parentOf(name: WireName): WireName | undefined {
  return name === ROOT ? undefined : name.slice(1 + name.charCodeAt(0))
}

/** Whether the name is the zone's own or below it. */
export function isInside(name: WireName, zone: WireName): boolean {
  if (!name.endsWith(zone)) return false
  const zoneAt = name.length - zone.length
  let at = 0
  while (at < zoneAt) at += 1 + name.charCodeAt(at)
  return at === zoneAt
}

export function labelsOf(name: WireName): string[] {
  const labels: string[] = []
  for (let at = 0, length = name.charCodeAt(0); length > 0; length = name.charCodeAt(at)) {
    labels.push(name.slice(at + 1, at + 1 + length))
    at += 1 + length
  }
  return labels
}

/** The root's is 0. */
export function labelCount(name: WireName): number {
  let count = 0
  for (let at = 0; name.charCodeAt(at) > 0; at += 1 + name.charCodeAt(at)) count += 1
  return count
}

function octetOf(piece: string): number {
  if (piece.length === 4) return Number(piece.slice(1))
  return piece.charCodeAt(piece.length - 1)
}

function escapedOctet(character: string): string {
  if (/[!-~]/.test(character)) return `\\${character}`
  return `\\${String(character.charCodeAt(0)).padStart(3, '0')}`
}
