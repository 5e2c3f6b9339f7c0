// The expression of `secure_link_md5`: text with variables, `$name` or `${name}`. Of nginx's variables those are known
// that a link can be bound to; `$key` stands for each live key and must be there, since otherwise anyone could make
// links.
import { unescaped } from './query-parameter.ts'
import { byteText, settingsError } from './signing.ts'
import type { TokenQuery, TokenRefusal } from './token.ts'

/** What the variables are read from. */
export interface LinkReading {
  /** The link's end as it stands in the request. */
  readonly expires: string
  /** Decoded path; null: one that stands for several. */
  readonly uri: string | null
  /** Its target is the one with the token: `$arg_expires` is in it. */
  readonly query: TokenQuery
}

interface Variable {
  /** null: what the refusal says. */
  read(reading: LinkReading): string | null
  readonly refusal: TokenRefusal
}

export interface Expression {
  /** The link's end is hashed. */
  readonly ends: boolean
  /** The client's address is hashed. */
  readonly bound: boolean
  /** In order; null: the key. */
  readonly parts: readonly (string | Variable | null)[]
}

const VARIABLE = /\$(?:\{([^{}]*)\}|([A-Za-z0-9_]*))/g
const ARGUMENT = /^arg_[A-Za-z0-9_]+$/

const VARIABLES: ReadonlyMap<string, Variable> = new Map([
  ['secure_link_expires', { read: (reading) => reading.expires, refusal: 'token_malformed' }],
  ['uri', { read: (reading) => reading.uri, refusal: 'token_out_of_scope' }],
  ['document_uri', { read: (reading) => reading.uri, refusal: 'token_out_of_scope' }],
  // A client whose address is not known is none that a link was made for.
  ['remote_addr', { read: ({ query }) => query.address || null, refusal: 'token_address' }],
  ['host', { read: ({ query }) => hostName(query.host), refusal: 'token_malformed' }],
  ['scheme', { read: ({ query }) => query.scheme, refusal: 'token_malformed' }],
  ['http_user_agent', { read: ({ query }) => query.header('user-agent') ?? '', refusal: 'token_malformed' }],
] as const)

/** Throws `config_invalid` for a variable that is not known, and where there is no key. */
export function compileExpression(text: string, expiresParameter: string): Expression {
  const parts: (string | Variable | null)[] = []
  let ends = false
  let bound = false
  let at = 0
  for (const match of text.matchAll(VARIABLE)) {
    const name = match[1] ?? match[2] ?? ''
    parts.push(byteText(text.slice(at, match.index)), name === 'key' ? null : variableOf(name, match.index))
    ends ||= name === 'secure_link_expires' || name.toLowerCase() === `arg_${expiresParameter}`.toLowerCase()
    bound ||= name === 'remote_addr'
    at = match.index + match[0].length
  }
  parts.push(byteText(text.slice(at)))
  if (!parts.includes(null)) throw settingsError('the expression of a secure link holds no $key')
  return { ends, bound, parts }
}

/** The values of the variables, in order; or why there are none. */
export function valuesOf(expression: Expression, reading: LinkReading): readonly string[] | TokenRefusal {
  const values: string[] = []
  for (const part of expression.parts) {
    if (part === null || typeof part === 'string') continue
    const value = part.read(reading)
    if (value === null) return part.refusal
    values.push(value)
  }
  return values
}

/** The expression with these values and this key. */
export function hashedText(expression: Expression, values: readonly string[], key: string): string {
  let next = 0
  let text = ''
  for (const part of expression.parts) {
    if (typeof part === 'string') text += part
    else if (part === null) text += key
    else {
      text += values[next] ?? ''
      next += 1
    }
  }
  return text
}

/** The name is not repeated in the error: what follows a `$` may be a secret that was pasted in. */
function variableOf(name: string, at: number): Variable {
  const variable = VARIABLES.get(name)
  if (variable !== undefined) return variable
  if (!ARGUMENT.test(name))
    throw settingsError(`the expression of a secure link holds an unknown variable at character ${at + 1}`)
  const argument = name.slice('arg_'.length).toLowerCase()
  return { read: ({ query }) => argumentOf(query.target, argument), refusal: 'token_malformed' }
}

/**
 * nginx's `$arg_name`: of any case, as it stands, '' where it is missing. null where it is given twice: nginx would
 * take the first, and the origin perhaps the last.
 */
function argumentOf(target: string, lowerName: string): string | null {
  const question = target.indexOf('?')
  if (question < 0) return ''
  const values = target
    .slice(question + 1)
    .split('&')
    .filter((part) => unescaped(part.split('=', 1)[0] ?? '').toLowerCase() === lowerName)
  const [value, second] = values
  if (value === undefined) return ''
  return second === undefined ? value.slice(value.indexOf('=') + 1 || value.length) : null
}

/** nginx's `$host`: without port and final dot, in lower case. */
function hostName(host: string): string {
  return host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase()
}
