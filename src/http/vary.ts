// Vary (RFC 9111 §4.1): which request fields select a variant, and the text by which two requests select the
// same one.

/** Lower-case names, sorted; '*' when nothing can match. */
export type SelectingFields = readonly string[] | '*'

/** Names in one Vary: beyond it the response is taken to vary on everything. */
const NAMES_MAX = 16

/**
 * `vary` is all Vary lines joined. A field that no request carries to the upstream (`forwards` says which do) is the
 * same for all of them, and selects nothing.
 */
export function selectingFields(
  vary: string | undefined,
  forwards: (lowerName: string) => boolean,
): SelectingFields {
  if (vary === undefined) return []
  const names = new Set<string>()
  for (const part of vary.split(',')) {
    const name = part.trim().toLowerCase()
    if (name === '*') return '*'
    if (name !== '' && forwards(name)) names.add(name)
  }
  return names.size > NAMES_MAX ? '*' : [...names].toSorted()
}

/** The selecting values of a request. Equal text: the same variant. */
export function variantText(names: readonly string[], header: (name: string) => string | undefined): string {
  let text = ''
  for (const name of names) {
    const value = header(name)
    text += `${name}:${value === undefined ? '' : `=${normalise(name, value)}`}\n`
  }
  return text
}

/** White space means nothing to any list field; order and case mean nothing to Accept-Language (RFC 9110 §12.5.4). */
function normalise(name: string, value: string): string {
  const parts = value.split(',').map((part) => part.trim().replace(/[ \t]*([;=])[ \t]*/g, '$1'))
  if (name !== 'accept-language') return parts.join(',')
  return parts
    .map((part) => part.toLowerCase())
    .toSorted()
    .join(',')
}
