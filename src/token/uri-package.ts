// Where a token of RFC 9246 stands in a URI (§2), and the URI without it (§2.1.15): a form-style parameter of the
// query (`?name=JWT`, `&name=JWT`), a path-style one (`;name=JWT`), or a path segment of its own (`/name=JWT`), which
// the RFC does not ask for and Apache Traffic Server takes.

export interface TakenPackage {
  /** The first one. null: there is none. */
  readonly token: string | null
  readonly target: string
}

const BEFORE = '/;?&'
const RESERVED = /[:/?#[\]@!$&'()*+,;=]/g
const SUB_DELIMITERS = "!$&'()*+,;="

/** Several are undefined; the first one counts, and none is left in the target. */
export function takePackage(target: string, name: string): TakenPackage {
  const key = `${name}=`
  let token: string | null = null
  let kept = ''
  let from = 0
  for (let at = target.indexOf(key); at >= 0; at = target.indexOf(key, Math.max(at + 1, from))) {
    if (!BEFORE.includes((at === from ? kept.at(-1) : target[at - 1]) ?? ' ')) continue
    RESERVED.lastIndex = at + key.length
    const end = RESERVED.exec(target)?.index ?? target.length
    token ??= target.slice(at + key.length, end)
    if (end < target.length && SUB_DELIMITERS.includes(target.charAt(end))) {
      kept += target.slice(from, at)
      from = end + 1
    } else {
      // Nothing of its kind follows: the character in front goes with it.
      kept = at === from ? kept.slice(0, -1) : kept + target.slice(from, at - 1)
      from = end
    }
  }
  if (token === null) return { token, target }
  const rest = kept + target.slice(from)
  return { token, target: rest.startsWith('/') ? rest : `/${rest}` }
}
