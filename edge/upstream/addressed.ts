// A request as it goes to one upstream: with its host, path prefix and fields of its own, signed where it wants that; to
// another edge with the property in front of the path and the proof of who asks.
import type { FieldPairs } from '../../src/http/fields.ts'
import { PEER_FIELD } from '../../src/wire/peer-token.ts'
import type { GuidedEdge } from './guided.ts'
import type { UpstreamOrigin } from './origin.ts'
import { isOfSignature, signedRequest } from './sign.ts'
import type { UpstreamRequest } from './upstream.ts'

export interface Addressed {
  /** Origin-form, as it goes out. */
  readonly path: string
  readonly fields: FieldPairs
}

export function addressedToOrigin(
  origin: UpstreamOrigin,
  request: UpstreamRequest,
  nowMs: number,
): Addressed {
  const path = origin.basePath + request.path
  const own: string[] = []
  for (const name in origin.headers) own.push(name, origin.headers[name] ?? '')
  if (origin.host !== undefined) own.push('Host', origin.host)
  if (origin.sign === undefined)
    return { path, fields: own.length === 0 ? request.fields : replaced(request.fields, own) }
  const host = origin.host ?? new URL(origin.url).host
  const { method, body } = request
  const { headers } = origin
  const signed = signedRequest(origin.sign, { method, host, path, hasBody: body !== null, headers }, nowMs)
  return { path: signed.path, fields: replaced(request.fields, [...own, ...signed.fields], isOfSignature) }
}

export function peerTarget(edge: GuidedEdge, property: string, path: string): string {
  return `${edge.basePath}/~${property}${path}`
}

export function addressedToEdge(path: string, token: string, request: UpstreamRequest): Addressed {
  return { path, fields: replaced(request.fields, [PEER_FIELD, token]) }
}

/** What a client sent under one of these names does not go along. */
function replaced(
  fields: FieldPairs,
  own: FieldPairs,
  isLeftOut: (lowerName: string) => boolean = () => false,
): FieldPairs {
  const names = new Set(own.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()))
  const result: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? ''
    const lower = name.toLowerCase()
    if (!names.has(lower) && !isLeftOut(lower)) result.push(name, fields[i + 1] ?? '')
  }
  result.push(...own)
  return result
}
