// What is probed of an edge: each of its addresses, or where none are configured what its URL's host resolves to in
// each family.
import { parseIp } from '../../src/net/ip.ts'
import type { EdgeView } from '../topology.ts'
import type { Family } from './reachability.ts'

export interface ProbeTarget {
  readonly edge: EdgeView
  readonly family: Family
  /** Where to connect: scheme, host or address, port. */
  readonly origin: string
  /** Host field, and the name that a certificate must have. */
  readonly host: string
  /** Of the edge's URL, before every path; '' for none. */
  readonly basePath: string
}

export function probeTargetsOf(edges: readonly EdgeView[]): readonly ProbeTarget[] {
  return edges.flatMap((edge) => {
    if (!edge.probed) return []
    const url = new URL(edge.url)
    const { host } = url
    const basePath = url.pathname.replace(/\/$/, '')
    const literal = parseIp(url.hostname.replaceAll(/[[\]]/g, ''))
    if (edge.addresses.length === 0) {
      const families: readonly Family[] = literal === undefined ? [4, 6] : [literal.family]
      return families.map((family): ProbeTarget => ({ edge, host, basePath, family, origin: url.origin }))
    }
    return edge.addresses.map((address): ProbeTarget => {
      // By the same reading as EdgeView.families: an IPv4-mapped address is IPv4.
      const family = parseIp(address)?.family ?? 4
      const port = url.port === '' ? '' : `:${url.port}`
      const authority = address.includes(':') ? `[${address}]${port}` : `${address}${port}`
      return { edge, host, basePath, family, origin: `${url.protocol}//${authority}` }
    })
  })
}
