// Whether an edge has already what it asks for.

/** RFC 9110 §13.1.2: weak comparison, any of a list, or `*`. */
export function matchesEtag(field: string | undefined, etag: string): boolean {
  if (field === undefined) return false
  return field.split(',').some((part) => {
    const tag = part.trim()
    return tag === '*' || tag.replace(/^W\//, '') === etag
  })
}
