// The fields of a request to an upstream. Nothing of one client's goes up with a request that many share.
import type { FieldPairs } from '../../src/http/fields.ts'
import { isStrong } from '../../src/http/validators.ts'
import type { Validators } from '../../src/http/validators.ts'
import { VERSION } from '../../src/version.ts'

export function requestFields(edgeId: string, cdnLoop: string | undefined): FieldPairs {
  const loop = `edgeward; id="${edgeId}"`
  return [
    'Accept',
    '*/*',
    // Slices are ranges of one representation: the unencoded one.
    'Accept-Encoding',
    'identity',
    'User-Agent',
    `edgeward/${VERSION}`,
    'Via',
    `1.1 ${edgeId}`,
    'CDN-Loop',
    cdnLoop === undefined ? loop : `${cdnLoop}, ${loop}`,
  ]
}

/** True when the request has been through this edge already (RFC 8586). */
export function hasLooped(cdnLoop: string | undefined, edgeId: string): boolean {
  return cdnLoop?.includes(`id="${edgeId}"`) === true
}

/** Asks whether a stored object still holds (RFC 9110 §13). */
export function conditionFields(stale: Validators | undefined): FieldPairs {
  if (stale === undefined) return []
  const fields: string[] = []
  if (stale.etag !== undefined) fields.push('If-None-Match', stale.etag)
  if (stale.lastModified !== undefined) fields.push('If-Modified-Since', stale.lastModified)
  return fields
}

/** Half-open. With a strong validator a changed object comes whole instead of a part that does not fit. */
export function rangeFields(start: number, end: number, validators: Validators | undefined): FieldPairs {
  const fields = ['Range', `bytes=${start}-${end - 1}`]
  const etag = validators?.etag
  if (etag !== undefined && isStrong(etag)) fields.push('If-Range', etag)
  return fields
}
