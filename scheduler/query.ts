// What is asked: the parts of a request that steering looks at, and whether it can be steered at all.
// Namespaces first (`/.edgeward/`), then the property, then the method.
import type { HttpRequest } from '../src/http/transaction.ts'
import type { Outcome } from './answer/answers.ts'
import { splitPrefix } from '../src/property-index.ts'
import type { PropertyIndex } from '../src/property-index.ts'
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
}

export interface Asked {
  /** Undefined: go on and steer. */
  readonly outcome: Exclude<Outcome, 'redirect' | 'no-edge'> | undefined
  readonly property: PropertyView | undefined
  /** Without the `/~property` prefix. */
  readonly path: string
}

export function queryOf(request: HttpRequest): SteerQuery {
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
  if (method === 'OPTIONS') return { outcome: 'preflight', property, path }
  return { outcome: reads ? undefined : 'method-not-allowed', property, path }
}

/** What steering keeps together on one edge: the directory of the path, within its property. */
export function assetKeyOf(property: PropertyView, path: string): string {
  return property.id + path.slice(0, path.lastIndexOf('/') + 1)
}

function asked(outcome: Asked['outcome']): Asked {
  return { outcome, property: undefined, path: '' }
}

function isCleanTarget(path: string): boolean {
  return path.startsWith('/') && isCleanText(path)
}

/** No spaces and no control characters: the text goes into a Location. The server's parser agrees. */
function isCleanText(text: string): boolean {
  return /^[\x21-\x7e\x80-\xff]+$/.test(text)
}
