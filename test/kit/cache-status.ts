// Cache-Status (RFC 9211) read by its structured-field shape (RFC 9651 §4.2): a list of caches with parameters.

export interface CacheStatusMember {
  cache: string
  /** Parameter → value; a parameter without value is true. */
  params: ReadonlyMap<string, string | number | boolean>
}

const NAME = /^(?:([A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*)|"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)")/
const PARAMETER =
  /^; *([a-z*][a-z0-9_\-.*]*)(?:=(?:(-?\d{1,15})(?![\d.])|\?([01])|([A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*)|"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"))?/

/** Throws on anything that is not such a list. */
export function parseCacheStatus(field: string | undefined): CacheStatusMember[] {
  if (field === undefined) throw new Error('no Cache-Status field')
  const members: CacheStatusMember[] = []
  let rest = field
  for (;;) {
    const name = NAME.exec(rest)
    if (name === null) throw new Error(`not a Cache-Status list: ${field}`)
    rest = rest.slice(name[0].length)
    const params = new Map<string, string | number | boolean>()
    for (let match = PARAMETER.exec(rest); match !== null; match = PARAMETER.exec(rest)) {
      params.set(match[1] ?? '', parameterValue(match))
      rest = rest.slice(match[0].length)
    }
    members.push({ cache: name[1] ?? name[2] ?? '', params })
    if (rest === '') return members
    const comma = /^[ \t]*,[ \t]*/.exec(rest)
    if (comma === null) throw new Error(`not a Cache-Status list: ${field}`)
    rest = rest.slice(comma[0].length)
  }
}

function parameterValue(match: RegExpExecArray): string | number | boolean {
  if (match[2] !== undefined) return Number(match[2])
  if (match[3] !== undefined) return match[3] === '1'
  return match[4] ?? match[5] ?? true
}

/** The parameters that the edge nearest to the client has put there: the last member. */
export function cacheStatusOf(reply: {
  headers: Readonly<Record<string, string | string[] | undefined>>
}): ReadonlyMap<string, string | number | boolean> {
  const field = reply.headers['cache-status']
  const last = parseCacheStatus(Array.isArray(field) ? field.join(', ') : field).at(-1)
  return last?.params ?? new Map<string, string | number | boolean>()
}
