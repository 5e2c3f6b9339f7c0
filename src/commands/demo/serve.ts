// Answers one request with one resource: conditional requests and single ranges (RFC 9110 §13, §14).
// Written apart from the edge's own code on purpose: the tests compare the two.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Resource } from './media.ts'

export function serveResource(request: IncomingMessage, response: ServerResponse, resource: Resource): void {
  response.setHeader('Cache-Control', resource.cacheControl)
  response.setHeader('ETag', resource.etag)
  response.setHeader('Last-Modified', new Date(resource.lastModifiedMs).toUTCString())
  response.setHeader('Accept-Ranges', 'bytes')
  if (isNotModified(request, resource)) {
    response.writeHead(304).end()
    return
  }
  const length = resource.body.byteLength
  const range = rangeApplies(request, resource) ? parseRange(request.headers.range ?? '', length) : null
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'Content-Range': `bytes */${length}`, 'Content-Length': 0 }).end()
    return
  }
  response.setHeader('Content-Type', resource.type)
  const { first, last } = range ?? { first: 0, last: length - 1 }
  if (range !== null) response.setHeader('Content-Range', `bytes ${first}-${last}/${length}`)
  response.writeHead(range === null ? 200 : 206, { 'Content-Length': last - first + 1 })
  response.end(request.method === 'HEAD' ? undefined : resource.body.subarray(first, last + 1))
}

// RFC 9110 §13.2.2: If-Modified-Since counts only without If-None-Match.
function isNotModified(request: IncomingMessage, resource: Resource): boolean {
  const noneMatch = request.headers['if-none-match']
  if (noneMatch !== undefined) {
    const tags = new Set(noneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, '')))
    return tags.has('*') || tags.has(resource.etag)
  }
  const since = Date.parse(request.headers['if-modified-since'] ?? '')
  return !Number.isNaN(since) && resource.lastModifiedMs <= since
}

// §13.1.5: If-Range with another validator turns the range off. §14.2: a range is for GET only.
function rangeApplies(request: IncomingMessage, resource: Resource): boolean {
  if (request.method !== 'GET') return false
  // Node joins repeated fields of this name, though its types allow a list.
  const condition = request.headers['if-range']?.toString()
  if (condition === undefined) return true
  return condition === resource.etag || Date.parse(condition) === resource.lastModifiedMs
}

/** Null when the field is to be ignored: another unit, several ranges, or not a range at all. */
export function parseRange(
  field: string,
  length: number,
): { first: number; last: number } | 'unsatisfiable' | null {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(field.trim())
  if (match === null || (match[1] === '' && match[2] === '')) return null
  if (match[1] === '') {
    const suffix = Math.min(Number(match[2]), length)
    return suffix === 0 ? 'unsatisfiable' : { first: length - suffix, last: length - 1 }
  }
  const first = Number(match[1])
  const last = match[2] === '' ? length - 1 : Number(match[2])
  if (last < first && match[2] !== '') return null
  return first >= length ? 'unsatisfiable' : { first, last: Math.min(last, length - 1) }
}
