// Accept-Language (RFC 9110 §12.5.4): the one language that a client would rather have than any other. Pure.

/** Longer than any client's list: a client that sends one has no language that stands out. */
const MEMBERS_MAX = 32

const MEMBER =
  /^\s*(\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i

/** In lower case; undefined when two are liked equally, when any will do, or when the list is not well formed. */
export function preferredLanguage(field: string | undefined): string | undefined {
  const members = field?.split(',', MEMBERS_MAX + 1) ?? []
  if (members.length > MEMBERS_MAX) return undefined
  let best: string | undefined
  let bestWeight = 0
  for (const member of members) {
    const match = MEMBER.exec(member)
    if (match === null) return undefined
    const weight = Number(match[2] ?? 1)
    if (weight < bestWeight || weight === 0) continue
    best = weight === bestWeight ? undefined : match[1]?.toLowerCase()
    bestWeight = weight
  }
  return best === '*' ? undefined : best
}

/** Content-Language (RFC 9110 §8.5) in lower case, if it names one language. */
export function onlyLanguage(field: string | undefined): string | undefined {
  const text = field?.trim().toLowerCase()
  return text !== undefined && /^[a-z]{1,8}(?:-[a-z0-9]{1,8})*$/.test(text) ? text : undefined
}
