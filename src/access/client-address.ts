// Whose request it is: the peer, or, when the peer is a configured proxy, the address that the proxies wrote
// down: Forwarded (RFC 7239), else X-Forwarded-For. The hops are walked from the right; the first address
// that is not a trusted proxy is the client. Trust ends before a hop that cannot be read.
import { buildCidrTree } from '../net/cidr-tree.ts'
import type { CidrTree } from '../net/cidr-tree.ts'
import { parseIp, parseNetwork } from '../net/ip.ts'
import type { IpAddress } from '../net/ip.ts'
import { FORWARDED_HOPS_MAX } from './limits.ts'

/** What a request says in its fields. */
export interface FieldReader {
  header(lowerName: string): string | undefined
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
  request: FieldReader,
  trusted: CidrTree<true>,
): IpAddress | undefined {
  const client = parseIp(peer)
  if (client === undefined || trusted.find(client) === undefined) return client
  const forwarded = request.header('forwarded')
  if (forwarded !== undefined) return furthest(client, parseForwarded(forwarded) ?? [], trusted)
  const addresses = request.header('x-forwarded-for')
  if (addresses === undefined) return client
  // One proxy, which is most, writes one.
  return furthest(client, addresses.includes(',') ? addresses.split(',') : [addresses], trusted)
}

/** From the peer back to the first hop that is not trusted. */
function furthest(peer: IpAddress, hops: readonly string[], trusted: CidrTree<true>): IpAddress {
  let client = peer
  const last = Math.max(0, hops.length - FORWARDED_HOPS_MAX)
  for (let i = hops.length - 1; i >= last; i--) {
    const address = parseNode(hops[i] ?? '')
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
  const bare = parseIp(node)
  if (bare !== undefined) return bare
  return parseIp((BRACKETED.exec(node) ?? WITH_PORT.exec(node))?.[1] ?? node)
}
