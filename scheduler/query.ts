// What is asked: the parts of a request that steering looks at, and whether it can be steered at all.
// Namespaces first (`/.edgeward/`), then the property, then the method.
import { clientAddressOf } from '../src/access/client-address.ts'
import type { Presented } from '../src/access/token-gate.ts'
import type { HttpRequest } from '../src/http/transaction.ts'
import type { Outcome } from './answer/answers.ts'
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
  readonly forwarded: string | undefined
  readonly xForwardedFor: string | undefined
  /** Over TLS. */
  readonly secure: boolean
  /** Milliseconds since the epoch. */
  readonly atMs: number
  readonly header: (lowerName: string) => string | undefined
}

export interface Asked {
  /** Undefined: go on and steer. */
  readonly outcome: Exclude<Outcome, 'redirect' | 'no-edge' | 'denied'> | undefined
  readonly property: PropertyView | undefined
  /** Without the `/~property` prefix, with its tokens. */
  readonly target: string
  /** The same without tokens and query. */
  readonly path: string
  /** Of a property with tokens: what was taken off the target. */
  readonly presented: Presented | null
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
    forwarded: request.header('forwarded'),
    xForwardedFor: request.header('x-forwarded-for'),
    secure: request.secure,
    atMs,
    header: (name) => request.header(name),
  }
}

export function readQuery(query: SteerQuery, properties: PropertyIndex<PropertyView>): Asked {
  const { method } = query
  if (method === 'OPTIONS' && query.path === '*') return asked('preflight')
  if (!isCleanTarget(query.path) || !(query.search === '' || isCleanText(query.search))) {
    return asked('bad-request')
  }
  const reads = method === 'GET' || method === 'HEAD'
  if (query.path.startsWith('/.edgeward/')) {
    if (query.path !== '/.edgeward/health') return asked('unknown-route')
    return asked(reads ? 'health' : 'method-not-allowed')
  }
  const { propertyId, path } = splitPrefix(query.path)
  const property =
    propertyId === undefined ? properties.findByHost(query.host) : properties.findById(propertyId)
  if (property === undefined) return asked(propertyId === undefined ? 'unknown-host' : 'unknown-property')
  const target = path + query.search
  const outcome = method === 'OPTIONS' ? 'preflight' : reads ? undefined : 'method-not-allowed'
  const gate = property.access.tokens?.gate
  if (gate === undefined) return { outcome, property, target, path, presented: null }
  const presented = gate.take(tokenPartsOf(query, target))
  const question = presented.target.indexOf('?')
  const bare = question < 0 ? presented.target : presented.target.slice(0, question)
  return { outcome, property, target, path: bare, presented }
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
export function assetKeyOf(property: PropertyView, path: string): string {
  return property.id + path.slice(0, path.lastIndexOf('/') + 1)
}

function asked(outcome: Asked['outcome']): Asked {
  return { outcome, property: undefined, target: '', path: '', presented: null }
}

function isCleanTarget(path: string): boolean {
  return path.startsWith('/') && isCleanText(path)
}

const AVOIDED = /[?&]~not=([a-z0-9._-]{1,64})(?:&|$)/

/** The edge that sent this client back because it was over a limit. */
export function avoidedEdgeOf(search: string): string | undefined {
  return search.includes('~not=') ? AVOIDED.exec(search)?.[1] : undefined
}

/** No spaces and no control characters: the text goes into a Location. The server's parser agrees. */
function isCleanText(text: string): boolean {
  return /^[\x21-\x7e\x80-\xff]+$/.test(text)
}
