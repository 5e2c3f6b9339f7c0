// The fields of an HTTP/2 request as the flow sees a request: pseudo-fields taken out and checked, Host put in.
// What nghttp2 has let through is well formed (RFC 9113 §8.2, §8.3); here it is held to what HTTP/1.1 is held to.
import type { FieldPairs } from '../http/fields.ts'
import { HEADER_LIST_BYTES_MAX } from './limits.ts'

/** Why a request that nghttp2 has let through is refused all the same. */
export type Http2Fault =
  | 'head-too-large'
  | 'bad-method'
  | 'bad-scheme'
  | 'bad-authority'
  | 'authority-conflict'
  | 'bad-target'

export interface Http2Request {
  readonly method: string
  readonly target: string
  readonly host: string
  /** Without pseudo-fields; Host first. */
  readonly fields: FieldPairs
  readonly fault: Http2Fault | null
}

/** RFC 9113 §10.5.1: what a field counts for besides its text. */
const FIELD_OVERHEAD_BYTES = 32

/** RFC 3986 path and query characters, as in the bodiless HTTP/1.1 server. */
const TARGET = /^\/[!$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z{|}~]*$/
const HOST = /^[-.0-9:A-Z[\]_a-z]+$/

/** `received`: name, value, name, value … as node:http2 gives them. */
export function readRequest(received: readonly string[]): Http2Request {
  let method = ''
  let scheme = ''
  let target = ''
  let authority: string | undefined
  let host: string | undefined
  let hosts = 0
  let bytes = 0
  const fields = ['host', '']
  for (let i = 0; i < received.length; i += 2) {
    const name = received[i] ?? ''
    const value = received[i + 1] ?? ''
    bytes += name.length + value.length + FIELD_OVERHEAD_BYTES
    if (name === ':method') method = value
    else if (name === ':scheme') scheme = value
    else if (name === ':path') target = value
    else if (name === ':authority') authority = value
    else if (name === 'host') {
      host = value
      hosts++
    } else fields.push(name, value)
  }
  const name = authority ?? host ?? ''
  fields[1] = name
  // node:http2 holds only those to the bound that have confirmed its settings.
  const fault =
    bytes > HEADER_LIST_BYTES_MAX ? 'head-too-large' : faultOf(method, scheme, target, name, host, hosts)
  return { method, target, host: name, fields, fault }
}

function faultOf(
  method: string,
  scheme: string,
  target: string,
  name: string,
  host: string | undefined,
  hosts: number,
): Http2Fault | null {
  // Nobody is connected through here to anywhere.
  if (method === 'CONNECT') return 'bad-method'
  // RFC 9110 §7.4: what asks for something over another scheme was not meant for this connection.
  if (scheme.toLowerCase() !== 'https') return 'bad-scheme'
  if (!HOST.test(name)) return 'bad-authority'
  // RFC 9113 §8.3.1: they name one host, or the request is not to be trusted.
  if (hosts > 1 || (host !== undefined && host.toLowerCase() !== name.toLowerCase()))
    return 'authority-conflict'
  if (!TARGET.test(target) && !(target === '*' && method === 'OPTIONS')) return 'bad-target'
  return null
}

/** A field's value by lower-case name; repeated fields joined with ', ', the pieces of a cookie with '; ' (§8.2.3). */
export function findField(fields: FieldPairs, lowerName: string): string | undefined {
  const separator = lowerName === 'cookie' ? '; ' : ', '
  let found: string | undefined
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === lowerName)
      found = found === undefined ? fields[i + 1] : found + separator + fields[i + 1]
  }
  return found
}
