// Taking parameters off a request's target, and putting them on, byte for byte: what stays is not respelled.

export interface TakenParameters {
  /** The target without them; as it came when it held none. */
  readonly target: string
  /** One a name, in the order of the names; null: not there. Given twice: all values, joined with `&`, which none holds. */
  readonly values: readonly (string | null)[]
}

export function takeParameters(target: string, names: readonly string[]): TakenParameters {
  const question = target.indexOf('?')
  const values: (string | null)[] = names.map(() => null)
  if (question < 0) return { target, values }
  const kept: string[] = []
  const parts = target.slice(question + 1).split('&')
  for (const part of parts) {
    const equals = part.indexOf('=')
    const index = names.indexOf(unescaped(equals < 0 ? part : part.slice(0, equals)))
    if (index < 0) kept.push(part)
    else {
      const value = equals < 0 ? '' : part.slice(equals + 1)
      const before = values[index] ?? null
      values[index] = before === null ? value : `${before}&${value}`
    }
  }
  if (kept.length === parts.length) return { target, values }
  const path = target.slice(0, question)
  return { target: kept.length === 0 ? path : `${path}?${kept.join('&')}`, values }
}

/** `parameters` is already in the form of a query: `a=1&b=2`. */
export function withParameters(target: string, parameters: string): string {
  return `${target}${target.includes('?') ? '&' : '?'}${parameters}`
}

/** A target's path as it came. */
export function pathOf(target: string): string {
  const question = target.indexOf('?')
  return question < 0 ? target : target.slice(0, question)
}

/** Percent-decoded to bytes, once (Latin-1 text); what is no escape stays. */
export function unescaped(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(/%[0-9A-Fa-f]{2}/g, (escape) =>
    String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
  )
}
