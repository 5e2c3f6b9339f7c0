// What is asked: the parts of a request that steering looks at, and whether it can be steered at all.
// Namespaces first (`/.edgeward/`), then the property, then the method.
import { clientAddressOf } from '../src/access/client-address.ts'
import type { Presented } from '../src/access/token-gate.ts'
import type { HttpRequest } from '../src/http/transaction.ts'
import type { Outcome } from './answer/answers.ts'
import { hash64OfJoined } from '../src/rendezvous.ts'
import type { Hash64 } from '../src/rendezvous.ts'
import { ROUTE_PATH, STEERING_PATH, readRouteParameters, readSteeringParameters } from './own-route.ts'
import type { SteeringParameters } from './own-route.ts'
import { splitPrefix } from '../src/property-index.ts'
import type { PropertyIndex } from '../src/property-index.ts'
import type { IpAddress } from '../src/net/ip.ts'
import type { TokenQuery } from '../src/token/token.ts'
import type { Snapshot } from './snapshot.ts'
import type { PropertyView } from './topology.ts'

export interface SteerQuery {
  readonly method: string
  /** The Host field as received. */
  readonly host: string
  /** As received, without the query string. */
  readonly path: string
  /** From its `?`, byte for byte; '' when there is none. */
  readonly search: string
  /** The peer's address. */
  readonly peer: string
  readonly origin: string | undefined
  /** Access-Control-Request-Headers of a preflight. */
  readonly requestedHeaders: string | undefined
  /** Over TLS. */
  readonly secure: boolean
  /** Milliseconds since the epoch. */
  readonly atMs: number
  readonly header: (lowerName: string) => string | undefined
}

/**
 * redirect: content, by its own URL. routes: a list of edges for it, best first. steering-list: HLS Content Steering,
 * for a player that plays already.
 */
export type AnswerForm = 'redirect' | 'routes' | 'steering-list'

export interface Asked {
  readonly form: AnswerForm
  /** What is steered: the request itself, or for a list the one that it is about. */
  readonly query: SteerQuery
  /** Undefined: go on and steer. */
  readonly outcome:
    | Exclude<Outcome, 'redirect' | 'overflow' | 'routes' | 'steering-list' | 'no-edge' | 'denied'>
    | undefined
  readonly property: PropertyView | undefined
  /** Without the `/~property` prefix, with its tokens. */
  readonly target: string
  /** The same without tokens and query. */
  readonly path: string
  /** Of a property with tokens: what was taken off the target. */
  readonly presented: Presented | null
  /** Of a list of routes: how many. */
  readonly count: number
  /** Of a steering list: the player. */
  readonly player: SteeringParameters | null
  /** Of a bad parameter: what is wrong with it. */
  readonly problem: string
}

export function queryOf(request: HttpRequest, atMs: number): SteerQuery {
  const { target } = request
  const mark = target.indexOf('?')
  return {
    method: request.method,
    host: request.host,
    path: mark < 0 ? target : target.slice(0, mark),
    search: mark < 0 ? '' : target.slice(mark),
    peer: request.remoteAddress,
    origin: request.header('origin'),
    requestedHeaders:
      request.method === 'OPTIONS' ? request.header('access-control-request-headers') : undefined,
    secure: request.secure,
    atMs,
    header: (name) => request.header(name),
  }
}

export function readQuery(query: SteerQuery, properties: PropertyIndex<PropertyView>): Asked {
  if (query.method === 'OPTIONS' && query.path === '*') return asked(query, 'preflight')
  if (!isCleanTarget(query.path) || !(query.search === '' || isCleanText(query.search))) {
    return asked(query, 'bad-request')
  }
  return query.path.startsWith('/.edgeward/')
    ? readOwnRoute(query, properties)
    : readContent(query, properties, 'redirect')
}

function readOwnRoute(query: SteerQuery, properties: PropertyIndex<PropertyView>): Asked {
  const { method, path } = query
  if (path === '/.edgeward/health')
    return asked(query, method === 'GET' || method === 'HEAD' ? 'health' : 'method-not-allowed')
  if (path === ROUTE_PATH) return readRoute(query, properties)
  const id = path.startsWith(STEERING_PATH) ? path.slice(STEERING_PATH.length) : ''
  if (id === '' || id.includes('/')) return asked(query, 'unknown-route')
  return readSteering(query, properties, id)
}

/** Judged and steered as the URL itself would be. */
function readRoute(query: SteerQuery, properties: PropertyIndex<PropertyView>): Asked {
  const found = readRouteParameters(query.search)
  if ('problem' in found) return { ...asked(query, 'bad-parameter', 'routes'), problem: found.problem }
  const { scheme, host = query.host, path, search, count } = found
  const secure = scheme === undefined ? query.secure : scheme === 'https'
  return { ...readContent({ ...query, host, path, search, secure }, properties, 'routes'), count }
}

/** The player was admitted to the playlist that it plays: no token is asked for. */
function readSteering(query: SteerQuery, properties: PropertyIndex<PropertyView>, id: string): Asked {
  const player = readSteeringParameters(query.search)
  if ('problem' in player)
    return { ...asked(query, 'bad-parameter', 'steering-list'), problem: player.problem }
  const { asset } = player
  const inner = { ...query, path: `/~${id}${asset}`, search: '' }
  const found = readContent(inner, properties, 'steering-list')
  const isOff = found.outcome === undefined && found.property?.steeringTtlMs === null
  const outcome = isOff ? 'steering-off' : found.outcome
  return { ...found, outcome, target: asset, path: asset, presented: null, player }
}

function readContent(query: SteerQuery, properties: PropertyIndex<PropertyView>, form: AnswerForm): Asked {
  const { method } = query
  const reads = method === 'GET' || method === 'HEAD'
  const { propertyId, path } = splitPrefix(query.path)
  const property =
    propertyId === undefined ? properties.findByHost(query.host) : properties.findById(propertyId)
  if (property === undefined)
    return asked(query, propertyId === undefined ? 'unknown-host' : 'unknown-property', form)
  const target = path + query.search
  const outcome = method === 'OPTIONS' ? 'preflight' : reads ? undefined : 'method-not-allowed'
  const gate = property.access.tokens?.gate
  if (gate === undefined) return asked(query, outcome, form, { property, target, path, presented: null })
  const presented = gate.take(tokenPartsOf(query, target))
  const question = presented.target.indexOf('?')
  const bare = question < 0 ? presented.target : presented.target.slice(0, question)
  return asked(query, outcome, form, { property, target, path: bare, presented })
}

/** Enough to find tokens by. */
function tokenPartsOf(query: SteerQuery, target: string): TokenQuery {
  const { host, method, atMs, header, secure, peer } = query
  return { target, scheme: secure ? 'https' : 'http', host, method, nowMs: atMs, header, address: peer }
}

export function clientOfQuery(query: SteerQuery, snapshot: Snapshot): IpAddress | undefined {
  return clientAddressOf(query.peer, query, snapshot.topology.trustedProxies)
}

/** What steering keeps together on one edge: the directory of the path, within its property. */
export function assetOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}

/** Of a path that ends at `pathEnd`. */
export function assetHashOf(property: PropertyView, path: string, pathEnd = path.length): Hash64 {
  return hash64OfJoined(property.id, path, path.lastIndexOf('/', pathEnd - 1) + 1)
}

const NO_CONTENT = { property: undefined, target: '', path: '', presented: null }

function asked(
  query: SteerQuery,
  outcome: Asked['outcome'],
  form: AnswerForm = 'redirect',
  content: Pick<Asked, 'property' | 'target' | 'path' | 'presented'> = NO_CONTENT,
): Asked {
  const { property, target, path, presented } = content
  return {
    form,
    query,
    outcome,
    property,
    target,
    path,
    presented,
    count: 0,
    player: null,
    problem: '',
  }
}

function isCleanTarget(path: string): boolean {
  return path.startsWith('/') && isCleanText(path)
}

const AVOIDED = /[?&]~not=([a-z0-9._-]{1,64})(?:&|$)/

/** The edge that sent this client back because it was over a limit. */
export function avoidedEdgeOf(search: string): string | undefined {
  return search.includes('~not=') ? AVOIDED.exec(search)?.[1] : undefined
}

/** Without that word, which is for schedulers alone. */
export function withoutAvoided(target: string): string {
  if (!target.includes('~not=')) return target
  const question = target.indexOf('?')
  if (question < 0) return target
  const kept = target
    .slice(question + 1)
    .split('&')
    .filter((parameter) => !parameter.startsWith('~not='))
  const path = target.slice(0, question)
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`
}

/** No spaces and no control characters: the text goes into a Location. The server's parser agrees. */
function isCleanText(text: string): boolean {
  return /^[\x21-\x7e\x80-\xff]+$/.test(text)
}
