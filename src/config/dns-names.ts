// Domain names as settings hold them: text in lower case without the final dot. What lies in which zone, for the checks
// of a configuration and for the zones that are built from it.

/** With its length octets and the root's zero a name has two octets more, and 255 at most (RFC 1035 §2.3.4). */
export const NAME_CHARS_MAX = 253

/** RFC 1123 §2.1. */
const HOST_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

export const HOST_LABEL_WORDS = 'a DNS label, at most 63 of a-z, 0-9 and "-"'

export function isHostLabel(text: string): boolean {
  return HOST_LABEL.test(text)
}

export function plainName(text: string): string {
  return text.toLowerCase().replace(/\.$/, '')
}

/** Of a record: `@` is the zone, a final dot ends a whole name, all else is completed by the zone. */
export function wholeName(name: string, zone: string): string {
  if (name === '@') return zone
  return plainName(name.endsWith('.') ? name : `${name}.${zone}`)
}

/** The name that a property's id has; undefined where it can have none. */
export function nameOfProperty(id: string, zone: string): string | undefined {
  const name = `${id}.${zone}`
  return isHostLabel(id) && name.length <= NAME_CHARS_MAX ? name : undefined
}

/** Whether a name is the zone's own or below it. */
export function isInZone(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`)
}

/** The zone of a name: the longest, as one may lie in another. */
export function zoneOf(name: string, zones: readonly string[]): string | undefined {
  const around = zones.filter((zone) => isInZone(name, zone))
  return around.toSorted((x, y) => y.length - x.length)[0]
}

/** A name of a zone and the names above it, the highest first, without the zone's own. */
export function namesDownTo(name: string, zone: string): string[] {
  if (name === zone) return []
  const labels = name.slice(0, -zone.length - 1).split('.')
  return labels.map((_, i) => `${labels.slice(i).join('.')}.${zone}`).toReversed()
}
