// The request that `edgeward explain` is asked about, read from the command line as a server would read it from a
// client: the target stays byte for byte, since another spelling of a path may be judged otherwise.
import { clientAddressOf } from './access/client-address.ts'
import { instantProblem } from './access/time-window.ts'
import type { CidrTree } from './net/cidr-tree.ts'
import { parseIp } from './net/ip.ts'
import type { IpAddress } from './net/ip.ts'

export interface InquiryOptions {
  readonly address?: string
  readonly referer?: string
  readonly origin?: string
  readonly userAgent?: string
  readonly method: string
  readonly header: readonly string[]
  readonly at?: string
}

export interface Inquiry {
  readonly method: string
  readonly scheme: 'http' | 'https'
  /** As the Host field. */
  readonly host: string
  /** Origin-form, with query; may hold a token, so it is not shown. */
  readonly target: string
  readonly peer: string
  readonly nowMs: number
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>
  readonly header: (lowerName: string) => string | undefined
}

/** Says what is wrong with the command line. */
export class InquiryError extends Error {}

const PLAIN_URL = /^(https?):\/\/([^\s/?#@\\]+)(\/[^\s#]*|\?[^\s#]*)?$/i
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Field values as a server takes them: no control characters (RFC 9110 §5.5). */
const VALUE = /^[\t -~\u0080-\uffff]*$/

/** Throws InquiryError. `nowMs` stands in for a missing `--at`. */
export function readInquiry(url: string, options: InquiryOptions, nowMs: number): Inquiry {
  const match = PLAIN_URL.exec(url)
  // Not quoted: it may hold a token.
  if (match === null) throw new InquiryError('the URL must be like https://shows.example.com/live/a.m3u8')
  const [, scheme = '', host = '', target = '/'] = match
  const { address, at, method } = options
  if (!TOKEN.test(method)) throw new InquiryError('method must be a method such as GET')
  if (address !== undefined && parseIp(address) === undefined)
    throw new InquiryError('address must be an IP address such as 203.0.113.9')
  const atProblem = at === undefined ? undefined : instantProblem(at)
  if (atProblem !== undefined) throw new InquiryError(`at ${atProblem}`)
  const fields = readFields(options)
  return {
    method,
    scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http',
    host,
    target: asciiTarget(target.startsWith('?') ? `/${target}` : target),
    peer: address ?? '',
    nowMs: at === undefined ? nowMs : Date.parse(at),
    fields,
    header: (lowerName) => fields.get(lowerName),
  }
}

/** As both daemons find it: behind a trusted proxy the client is the one it speaks for. */
export function clientOf(inquiry: Inquiry, trusted: CidrTree<true>): IpAddress | undefined {
  return clientAddressOf(inquiry.peer, inquiry, trusted)
}

function readFields({ header, referer, origin, userAgent }: InquiryOptions): Map<string, string> {
  const fields = new Map<string, string>()
  for (const line of header) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (!TOKEN.test(name) || !VALUE.test(value))
      throw new InquiryError("header must be like 'X-Forwarded-For: 203.0.113.9'")
    const earlier = fields.get(name)
    // RFC 9110 §5.3: the lines of one field are one list.
    fields.set(name, earlier === undefined ? value : `${earlier}, ${value}`)
  }
  for (const [name, value] of [
    ['referer', referer],
    ['origin', origin],
    ['user-agent', userAgent],
  ] as const) {
    if (value === undefined) continue
    if (!VALUE.test(value)) throw new InquiryError(`the value of ${name} holds control characters`)
    fields.set(name, value.trim())
  }
  return fields
}

/** Letters of other scripts go out escaped, as every client sends them. */
function asciiTarget(target: string): string {
  return target.replaceAll(/[^\x21-\x7e]+/g, (letters) => encodeURIComponent(letters.toWellFormed()))
}
