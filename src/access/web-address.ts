// Where a page stands, as Referer and Origin tell it: scheme, host, port and path. Read strictly, since what
// browsers send is strict: no userinfo (RFC 9110 §10.1.3), no escapes in hosts, no white space. Whatever else a
// client writes is unreadable, and matches nothing.
import { formatIp, parseIp } from '../net/ip.ts'

export interface WebAddress {
  /** Lower case. */
  readonly scheme: string
  /** Lower case, punycode, without a trailing dot; IPv6 in brackets. */
  readonly host: string
  /** That of the scheme where none is written; null where the scheme has none. */
  readonly port: number | null
  /** With query, from its `/`; '' when there is none. */
  readonly path: string
}

/** Origin: null (HTML: an opaque origin), which is what browsers send from sandboxes, and after redirects. */
export const OPAQUE: WebAddress = { scheme: '', host: '', port: null, path: '' }

const ADDRESS =
  /^([a-z][a-z0-9+.-]{0,31}):\/\/([a-z0-9._-]{1,254}|\[[0-9a-f:.]{2,45}\])(?::(\d{0,5}))?([/?][!-~\u0080-\uffff]*)?$/i

/** undefined: it is none. */
export function parseWebAddress(text: string): WebAddress | undefined {
  const match = ADDRESS.exec(text)
  if (match === null) return undefined
  const [, schemeText = '', hostText = '', portText = '', path = ''] = match
  const scheme = schemeText.toLowerCase()
  const host = plainHost(hostText)
  const port = portText === '' ? defaultPort(scheme) : Number(portText)
  if (host === undefined || (port ?? 0) > 65_535) return undefined
  return { scheme, host, port, path }
}

/** What of it may be shown: the path without its query, where tokens stand. */
export function showWebAddress(page: WebAddress): string {
  if (page === OPAQUE) return 'null (an opaque origin)'
  const { scheme, host, port, path } = page
  const shownPort = port === defaultPort(scheme) ? '' : `:${port ?? ''}`
  return `${scheme}://${host}${shownPort}${path.split('?', 1)[0] ?? ''}`
}

export function defaultPort(scheme: string): number | null {
  if (scheme === 'https') return 443
  return scheme === 'http' ? 80 : null
}

/** Lower case, without a trailing dot, IPv6 in its one form; undefined when it is no host. */
export function plainHost(text: string): string | undefined {
  if (text.startsWith('[')) {
    const address = parseIp(text.slice(1, -1))
    return address && `[${formatIp(address)}]`
  }
  const host = text.endsWith('.') ? text.slice(0, -1) : text
  return host === '' ? undefined : host.toLowerCase()
}
