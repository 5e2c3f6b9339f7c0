// The records of a steered name for one client: addresses of the chosen edges, each family chosen apart, or HTTPS with
// the addresses of both as hints.
import type { IpAddress } from '../../../src/net/ip.ts'
import type { LocationSource } from '../../locate/locate.ts'
import type { PropertyView } from '../../topology.ts'
import { TYPE } from '../message/codes.ts'
import type { WireName } from '../message/names.ts'
import type { DnsRecord } from '../message/records.ts'
import { findEdges } from './choose-edges.ts'
import type { ChosenEdges, SteeringState } from './choose-edges.ts'
import { httpsData } from './https-record.ts'

/**
 * no-such-data: no edge of the property has an address of that family, or what HTTPS would say. none-lives: some have,
 * and none of them can serve.
 */
export type SteeredRecords = SteeredFacts &
  (
    | { readonly outcome: 'records'; readonly records: readonly DnsRecord[] }
    | { readonly outcome: 'no-such-data' | 'none-lives' }
  )

interface SteeredFacts {
  readonly located: LocationSource
  readonly scopePrefix: number
}

interface SteeringLimits extends SteeringState {
  readonly addresses: number
  readonly steeredTtlSeconds: number
}

/** `type` is A, AAAA or HTTPS. */
export function steeredRecords(
  property: PropertyView,
  owner: WireName,
  type: number,
  client: IpAddress,
  state: SteeringLimits,
): SteeredRecords {
  return type === TYPE.HTTPS
    ? httpsRecord(property, owner, client, state)
    : addressRecords(property, owner, type === TYPE.A ? 4 : 6, client, state)
}

function addressRecords(
  property: PropertyView,
  owner: WireName,
  family: 4 | 6,
  client: IpAddress,
  state: SteeringLimits,
): SteeredRecords {
  const { addresses } = state
  const chosen = findEdges({ property, client, family, addresses }, state)
  const facts = { located: chosen.location.source, scopePrefix: chosen.scopePrefix }
  if (chosen.edges.length === 0) return { ...facts, outcome: outcomeOfNone([chosen]) }
  const type = family === 4 ? TYPE.A : TYPE.AAAA
  const { steeredTtlSeconds: ttlSeconds } = state
  const records: DnsRecord[] = []
  for (const edge of chosen.edges) {
    for (const data of edge.addressData[family]) {
      if (records.length < addresses) records.push({ owner, type, ttlSeconds, data })
    }
  }
  return { outcome: 'records', records, ...facts }
}

function httpsRecord(
  property: PropertyView,
  owner: WireName,
  client: IpAddress,
  state: SteeringLimits,
): SteeredRecords {
  const { addresses } = state
  const ipv4 = findEdges({ property, client, family: 4, addresses }, state)
  const ipv6 = findEdges({ property, client, family: 6, addresses }, state)
  const facts = { located: ipv4.location.source, scopePrefix: ipv4.scopePrefix }
  if (ipv4.edges.length + ipv6.edges.length === 0) return { ...facts, outcome: outcomeOfNone([ipv4, ipv6]) }
  const data = httpsData(ipv4.edges, ipv6.edges, addresses)
  if (data === null) return { ...facts, outcome: 'no-such-data' }
  return {
    ...facts,
    outcome: 'records',
    records: [{ owner, type: TYPE.HTTPS, ttlSeconds: state.steeredTtlSeconds, data }],
  }
}

/** Whether an edge would do if it lived: a resolver that hears of a failure may use what it has (RFC 8767). */
function outcomeOfNone(choices: readonly ChosenEdges[]): 'no-such-data' | 'none-lives' {
  const lives = choices.some(({ choice }) => {
    const { property, family, snapshot } = choice
    return snapshot.topology.edges.some((edge) => {
      if (family === undefined || !edge.hasAddress[family]) return false
      if (property.siteIds !== null && !property.siteIds.has(edge.siteId)) return false
      return property.capabilities.every((label) => edge.capabilities.has(label))
    })
  })
  return lives ? 'none-lives' : 'no-such-data'
}
