// Whose request it is: the peer, or, when the peer is a configured proxy, the address that the proxies wrote
// down: Forwarded (RFC 7239), else X-Forwarded-For. The hops are walked from the right; the first address
// that is not a trusted proxy is the client. Trust ends before a hop that cannot be read.
import { buildCidrTree } from '../net/cidr-tree.ts'
import type { CidrTree } from '../net/cidr-tree.ts'
import { parseIp, parseNetwork } from '../net/ip.ts'
import type { IpAddress } from '../net/ip.ts'
import { FORWARDED_HOPS_MAX } from './limits.ts'

export interface ForwardedFields {
  readonly forwarded: string | undefined
  readonly xForwardedFor: string | undefined
}

/** From the networks of a configuration, which loading has checked. */
export function trustedProxiesOf(networks: readonly string[]): CidrTree<true> {
  return buildCidrTree(
    networks.flatMap((text) => {
      const network = parseNetwork(text)
      return network === undefined ? [] : [{ network, value: true as const }]
    }),
  )
}

/** Undefined only when the peer's own address is not known. */
export function clientAddressOf(
  peer: string,
  fields: ForwardedFields,
  trusted: CidrTree<true>,
): IpAddress | undefined {
  let client = parseIp(peer)
  if (client === undefined || trusted.find(client) === undefined) return client
  const hops =
    fields.forwarded === undefined
      ? (fields.xForwardedFor?.split(',') ?? [])
      : (parseForwarded(fields.forwarded) ?? [])
  for (const hop of hops.toReversed().slice(0, FORWARDED_HOPS_MAX)) {
    const address = parseNode(hop)
    if (address === undefined) return client
    client = address
    if (trusted.find(client) === undefined) return client
  }
  return client
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const QUOTED = String.raw`"(?:[^"\\]|\\.)*"`
const PAIR = new RegExp(String.raw`[ \t]*(?:(${TOKEN})=(${TOKEN}|${QUOTED}))?[ \t]*(;|,|$)`, 'y')

/** The `for` of each element, '' where an element has none; undefined when the field is malformed. */
export function parseForwarded(field: string): string[] | undefined {
  const nodes: string[] = []
  let node = ''
  PAIR.lastIndex = 0
  for (;;) {
    const match = PAIR.exec(field)
    if (match === null) return undefined
    const [, name, value = '', end] = match
    if (name?.toLowerCase() === 'for') node = unquote(value)
    if (end === ';') continue
    nodes.push(node)
    node = ''
    if (end !== ',') return nodes
  }
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value
}

const BRACKETED = /^\[([^\]]*)\](?::\w+)?$/
const WITH_PORT = /^([\d.]+):\w+$/

/** An address as proxies write it: bare, IPv6 in brackets, either with a port; not `unknown` or `_hidden`. */
function parseNode(text: string): IpAddress | undefined {
  const node = text.trim()
  return parseIp((BRACKETED.exec(node) ?? WITH_PORT.exec(node))?.[1] ?? node)
}
