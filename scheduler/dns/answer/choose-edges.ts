// Which edges a name is answered with: the steps of steer-flow.ts for a client that is told addresses and tells no path.
// All clients of one locality get the same edges, so that a resolver may give the answer to each of them.
import { networkOf } from '../../../src/net/ip.ts'
import type { IpAddress } from '../../../src/net/ip.ts'
import type { Candidate, ChoiceQuery } from '../../choose/candidates.ts'
import type { Demand } from '../../choose/demand.ts'
import { hash64OfWords } from '../../../src/rendezvous.ts'
import type { Hash64 } from '../../../src/rendezvous.ts'
import { rankedEdgesOf } from '../../choose/routes.ts'
import { addressesAtOnce, edgesAtOnce } from '../../choose/edge-at-once.ts'
import { isSiteAtOnce, siteAtOnce } from '../../choose/site-at-once.ts'
import { orderSites, weighSites } from '../../choose/sites.ts'
import type { SiteOrder, Weighing } from '../../choose/sites.ts'
import type { Family } from '../../health/reachability.ts'
import { locate } from '../../locate/locate.ts'
import type { ClientLocation, LocationSource } from '../../locate/locate.ts'
import { NOT_KEPT } from '../../locate/located-networks.ts'
import type { LocatedNetworks } from '../../locate/located-networks.ts'
import { scopeOfLocation } from '../../locate/scope.ts'
import type { Snapshot } from '../../snapshot.ts'
import type { EdgeView, PropertyView, SiteView } from '../../topology.ts'

/** What answers are made from, beside the question. */
export interface SteeringState {
  readonly snapshot: Snapshot
  readonly demand: Demand
  readonly nowMs: number
}

export interface ChosenEdges {
  readonly family: Family
  readonly location: ClientLocation
  /** Bits of the client's address that it depended on. */
  readonly scopePrefix: number
  readonly choice: ChoiceQuery
  /** With so many addresses of the family together, best first; empty when none can serve. */
  readonly edges: readonly EdgeView[]
}

export interface FoundAddresses {
  /** How many of them `out` has. */
  readonly octets: number
  readonly located: LocationSource
  readonly scopePrefix: number
}

/** The same with all that was weighed. */
export interface EdgeChoice extends ChosenEdges {
  readonly order: SiteOrder
  readonly weighing: Weighing
  readonly ranked: readonly Candidate[]
}

/** Of which property, for whom, and how many addresses are answered at most. */
export interface EdgesWanted {
  readonly property: PropertyView
  readonly client: IpAddress
  readonly family: Family
  readonly addresses: number
}

/** For an answer: mostly they can be told at once. */
export function findEdges(wanted: EdgesWanted, state: SteeringState): ChosenEdges {
  const asked = askedFor(wanted, state)
  const edges = edgesToldAtOnce(wanted, asked)
  return edges === undefined ? weighEdges(wanted, asked) : { ...asked, edges }
}

/** Their addresses alone, into `out`. undefined: they must be weighed. */
export function findAddresses(
  wanted: EdgesWanted,
  state: SteeringState,
  networks: LocatedNetworks,
  out: Uint8Array,
): FoundAddresses | undefined {
  const { client } = wanted
  const { snapshot } = state
  // Deep edges have clients of their own, whatever their network.
  const hasDeep = snapshot.topology.deepSites.length > 0
  const place = hasDeep ? NOT_KEPT : networks.find(client, snapshot)
  if (place !== NOT_KEPT) return addressesAt(networks, place, wanted, state, out)
  const { location, scopePrefix, choice } = askedFor(wanted, state)
  if (!hasDeep) networks.keep(client, location, scopePrefix, snapshot)
  return addressesFrom(siteAtOnce(location, choice), choice, location.source, scopePrefix, out)
}

/** For a network whose place is known. The client itself is located where it may have to go past that site. */
function addressesAt(
  networks: LocatedNetworks,
  place: number,
  wanted: EdgesWanted,
  state: SteeringState,
  out: Uint8Array,
): FoundAddresses | undefined {
  const { client } = wanted
  const { snapshot } = state
  const near = networks.site(place, snapshot)
  const source = networks.source(place)
  const scopePrefix = networks.scopePrefix(place)
  const choice = choiceOf(wanted, state, scopePrefix)
  const site = isSiteAtOnce(near, { source }, choice) ? near : siteAtOnce(locate(client, snapshot), choice)
  return addressesFrom(site, choice, source, scopePrefix, out)
}

function addressesFrom(
  site: SiteView | undefined,
  choice: ChoiceQuery,
  located: LocationSource,
  scopePrefix: number,
  out: Uint8Array,
): FoundAddresses | undefined {
  const octets = site === undefined ? undefined : addressesAtOnce(site, choice, out)
  return octets === undefined ? undefined : { octets, located, scopePrefix }
}

function edgesToldAtOnce(
  { family, addresses }: EdgesWanted,
  { location, choice }: Asked,
): readonly EdgeView[] | undefined {
  const site = siteAtOnce(location, choice)
  return site === undefined ? undefined : edgesAtOnce(site, choice, family, addresses)
}

/** For whoever reads the reasons. */
export function chooseEdges(wanted: EdgesWanted, state: SteeringState): EdgeChoice {
  return weighEdges(wanted, askedFor(wanted, state))
}

type Asked = Omit<ChosenEdges, 'edges'>

function askedFor(wanted: EdgesWanted, state: SteeringState): Asked {
  const { client, family } = wanted
  const { snapshot } = state
  const location = locate(client, snapshot)
  const scopePrefix = scopeOf(client, location, snapshot)
  return { family, location, scopePrefix, choice: choiceOf(wanted, state, scopePrefix) }
}

function choiceOf(
  { property, client, family }: EdgesWanted,
  { snapshot, demand, nowMs }: SteeringState,
  scopePrefix: number,
): ChoiceQuery {
  const key = keyOf(property, networkOf(client, scopePrefix).address)
  return { snapshot, demand, nowMs, property, client, family, byAddress: true, key, avoided: undefined }
}

function weighEdges({ family, addresses }: EdgesWanted, asked: Asked): EdgeChoice {
  const { location, choice } = asked
  const order = orderSites(location, choice)
  const weighing = weighSites(order, choice)
  const ranked = rankedEdgesOf(weighing, choice)
  return { ...asked, order, weighing, ranked, edges: firstOf(ranked, family, addresses) }
}

/** Deep edges ask for the address once more. */
function scopeOf(client: IpAddress, location: ClientLocation, snapshot: Snapshot): number {
  const scope = scopeOfLocation(client, snapshot, location)
  const { deepSites, pinned } = snapshot.topology
  return deepSites.length === 0 ? scope : Math.max(scope, pinned.scopeOf(client))
}

/** In place of an asset's. */
function keyOf({ hash }: PropertyView, { a, b, c, d }: IpAddress): Hash64 {
  const locality = hash64OfWords(a, b, c, d)
  return { hi: hash.hi ^ locality.hi, lo: hash.lo ^ locality.lo }
}

/** One that is above its share, or its limit, only where there is no other. */
function firstOf(ranked: readonly Candidate[], family: Family, addresses: number): EdgeView[] {
  const edges: EdgeView[] = []
  let count = 0
  for (const { edge, reason } of ranked) {
    if (count >= addresses || (count > 0 && (reason === 'over-share' || reason === 'overloaded'))) break
    edges.push(edge)
    count += edge.addressData[family].length
  }
  return edges
}
