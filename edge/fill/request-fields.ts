// The fields of a request to an upstream: the client's end-to-end fields, less what this edge decides itself
// (conditions, ranges, encodings), plus what it says of itself.
import type { FieldPairs } from '../../src/http/fields.ts'
import { isStrong } from '../../src/http/validators.ts'
import type { Validators } from '../../src/http/validators.ts'
import type { PullRule } from './response-meta.ts'

/** RFC 9110 §7.6.1, the framing that undici does, and what is rewritten below. */
const NEVER_FORWARDED = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'via',
  'cdn-loop',
  // Between this edge and the one that asked it.
  'edgeward-peer',
  'cmcd-object',
  'cmcd-request',
  'cmcd-session',
  'cmcd-status',
])

/** With an answer that many share, these are between the client and this edge. */
const ANSWERED_HERE = new Set([
  'accept-encoding',
  'content-length',
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
])

/** `purpose` 'shared': the answer may be kept; 'own': it is for this client alone, conditions and all. */
export function upstreamFields(
  edgeId: string,
  request: { fields: FieldPairs; rule: Pick<PullRule, 'forwards' | 'withoutTokens'> },
  purpose: 'shared' | 'own',
): string[] {
  const named = connectionOptions(request.fields)
  const result: string[] = []
  let via = `1.1 ${edgeId}`
  let loop = `edgeward; id="${edgeId}"`
  for (let i = 0; i < request.fields.length; i += 2) {
    const name = request.fields[i] ?? ''
    const lower = name.toLowerCase()
    const value = request.fields[i + 1] ?? ''
    if (lower === 'via') via = `${value}, ${via}`
    else if (lower === 'cdn-loop') loop = `${value}, ${loop}`
    if (NEVER_FORWARDED.has(lower) || named.has(lower)) continue
    if (purpose === 'shared' && ANSWERED_HERE.has(lower)) continue
    // RFC 9110 §14.2: a range is for GET, and no GET is passed through.
    if (lower === 'range' || lower === 'if-range') continue
    if (purpose === 'shared' && !request.rule.forwards(lower)) continue
    const kept = request.rule.withoutTokens?.(lower, value) ?? null
    if (request.rule.withoutTokens === undefined) result.push(name, value)
    else if (kept !== null) result.push(name, kept)
  }
  // Slices are ranges of one representation: the unencoded one.
  if (purpose === 'shared') result.push('Accept-Encoding', 'identity')
  result.push('Via', via, 'CDN-Loop', loop)
  return result
}

/** A field went up with this request that a shared fetch does not carry, other than what describes its body. */
export function saysMoreThanShared(request: {
  fields: FieldPairs
  rule: Pick<PullRule, 'forwards'>
}): boolean {
  const named = connectionOptions(request.fields)
  return request.fields.some((name, i) => {
    const lower = name.toLowerCase()
    if (i % 2 === 1 || NEVER_FORWARDED.has(lower) || named.has(lower)) return false
    return !ANSWERED_HERE.has(lower) && !lower.startsWith('content-') && !request.rule.forwards(lower)
  })
}

function connectionOptions(fields: FieldPairs): ReadonlySet<string> {
  const named = new Set<string>()
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i]?.toLowerCase() !== 'connection') continue
    for (const option of (fields[i + 1] ?? '').split(',')) named.add(option.trim().toLowerCase())
  }
  return named
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
