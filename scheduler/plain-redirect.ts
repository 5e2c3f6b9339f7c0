// The answer that nearly all requests get, without an exchange for it: a plain GET for content of an open property is
// sent to the edge that can be told at once. It is the answer that the steps of steer-flow.ts give, or none: nothing has
// happened then, and they decide.
import { clientAddressOf } from '../src/access/client-address.ts'
import type { HttpRequest, ReplyHead } from '../src/http/transaction.ts'
import type { IpAddress } from '../src/net/ip.ts'
import type { Hash64 } from '../src/rendezvous.ts'
import type { ChoiceQuery } from './choose/candidates.ts'
import type { Demand } from './choose/demand.ts'
import { edgeAtOnce } from './choose/edge-at-once.ts'
import { siteAtOnce } from './choose/site-at-once.ts'
import { rootOn } from './edge-address.ts'
import { locate } from './locate/locate.ts'
import type { ClientLocation } from './locate/locate.ts'
import { assetHashOf } from './query.ts'
import type { Snapshot } from './snapshot.ts'
import type { EdgeView, PropertyView, SiteView } from './topology.ts'

/** What is asked for, and by whom. */
export interface PlainQuestion {
  readonly property: PropertyView
  readonly client: IpAddress
  /** Of the asset. */
  readonly key: Hash64
}

export interface PlainChoice {
  readonly location: ClientLocation
  readonly choice: ChoiceQuery
  readonly site: SiteView
  readonly edge: EdgeView
}

export interface PlainRedirect extends PlainChoice {
  readonly property: PropertyView
  readonly client: IpAddress
  readonly head: ReplyHead
}

/**
 * Neither in a namespace (`/.edgeward/`, `/~property/`, `/~~grant/`) nor with a word for schedulers (`~not=`), and
 * without a byte that a Location would have to encode.
 */
const PLAIN_TARGET = /^\/(?![.~])[!-}]*$/

/** undefined: it is not plain. */
export function plainRedirect(
  request: HttpRequest,
  snapshot: Snapshot,
  demand: Demand,
  nowMs: number,
): PlainRedirect | undefined {
  const { target } = request
  if (request.method !== 'GET' || !PLAIN_TARGET.test(target)) return undefined
  const { topology } = snapshot
  const property = topology.properties.findByHost(request.host)
  const fields = property?.plainFields ?? null
  if (property === undefined || fields === null) return undefined
  const client = clientAddressOf(request.remoteAddress, request, topology.trustedProxies)
  if (client === undefined) return undefined
  const question = target.indexOf('?')
  const key = assetHashOf(property, target, question < 0 ? target.length : question)
  const chosen = choosePlainly({ property, client, key }, snapshot, demand, nowMs)
  if (chosen === undefined) return undefined
  const { location, choice, site, edge } = chosen
  const extra = ['Location', rootOn(edge, property) + target]
  return {
    property,
    client,
    location,
    choice,
    site,
    edge,
    head: { status: 302, fields, extra, length: 0 },
  }
}

/** Of a property that is open to all. undefined: sites must be weighed, or edges ranked. */
export function choosePlainly(
  { property, client, key }: PlainQuestion,
  snapshot: Snapshot,
  demand: Demand,
  nowMs: number,
): PlainChoice | undefined {
  const location = locate(client, snapshot)
  const choice: ChoiceQuery = {
    snapshot,
    demand,
    nowMs,
    property,
    client,
    family: client.family,
    byAddress: false,
    key,
    avoided: undefined,
  }
  const site = siteAtOnce(location, choice)
  const edge = site === undefined ? undefined : edgeAtOnce(site, choice)
  return edge === undefined || site === undefined ? undefined : { location, choice, site, edge }
}
