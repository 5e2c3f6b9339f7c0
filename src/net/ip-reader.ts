// Reads the text of an IP address from ASCII bytes, as it stands in a request's head; src/net/ip.ts makes addresses of it.

/** 16-bit groups of an IPv6 address. */
export const GROUPS = 8

const DOT = 0x2e
const COLON = 0x3a
const PERCENT = 0x25
/** Longest text form: eight groups, the last two as dotted decimal. */
const IPV6_LENGTH_MAX = 45
const ZONE = new Uint8Array(256)
for (const byte of Buffer.from('-.0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~'))
  ZONE[byte] = 1

/** Its 32 bits, or -1 when it is not strict dotted decimal. */
export function readIpv4(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  let at = start
  for (let part = 0; part < 4; part += 1) {
    if (part > 0) {
      if (at === end || bytes[at] !== DOT) return -1
      at += 1
    }
    const first = at
    let octet = 0
    while (at < end && at - first < 3) {
      const digit = (bytes[at] ?? 0) - 0x30
      if (digit < 0 || digit > 9) break
      octet = octet * 10 + digit
      at += 1
    }
    const leadingZero = at - first > 1 && bytes[first] === 0x30
    if (at === first || octet > 255 || leadingZero) return -1
    value = value * 256 + octet
  }
  return at === end ? value : -1
}

/** Where the zone (`%eth0`) begins; `end` without one, -1 when it is none. */
export function endBeforeZone(bytes: Uint8Array, start: number, end: number): number {
  let zoneAt = start
  while (zoneAt < end && bytes[zoneAt] !== PERCENT) zoneAt += 1
  if (zoneAt === end) return end
  if (zoneAt + 1 === end) return -1
  for (let at = zoneAt + 1; at < end; at += 1) if (ZONE[bytes[at] ?? 0] !== 1) return -1
  return zoneAt
}

/** Fills `groups`; false when it is not an IPv6 address. */
export function readIpv6(bytes: Uint8Array, start: number, end: number, groups: Uint16Array): boolean {
  if (end - start < 2 || end - start > IPV6_LENGTH_MAX) return false
  let count = 0
  let gapAt = -1
  let at = start
  if (bytes[at] === COLON) {
    if (bytes[at + 1] !== COLON) return false
    gapAt = 0
    at += 2
  }
  while (at < end) {
    if (count === GROUPS) return false
    const first = at
    let value = 0
    while (at < end && at - first < 4) {
      const digit = hexDigit(bytes[at] ?? 0)
      if (digit < 0) break
      value = value * 16 + digit
      at += 1
    }
    if (at < end && bytes[at] === DOT) {
      const tail = count <= GROUPS - 2 ? readIpv4(bytes, first, end) : -1
      if (tail < 0) return false
      groups[count] = tail >>> 16
      groups[count + 1] = tail & 0xffff
      count += 2
      at = end
      break
    }
    if (at === first) return false
    groups[count] = value
    count += 1
    if (at === end) break
    if (bytes[at] !== COLON) return false
    at += 1
    if (at === end) return false
    if (bytes[at] === COLON) {
      if (gapAt >= 0) return false
      gapAt = count
      at += 1
    }
  }
  return gapAt < 0 ? count === GROUPS : fillGap(groups, gapAt, count)
}

/** `::` stands for one group of zeros at least. */
function fillGap(groups: Uint16Array, gapAt: number, count: number): boolean {
  if (count === GROUPS) return false
  const moved = count - gapAt
  groups.copyWithin(GROUPS - moved, gapAt, count)
  groups.fill(0, gapAt, GROUPS - moved)
  return true
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
