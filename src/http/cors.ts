// Cross-origin access for players in browsers (the Fetch standard's CORS protocol).
import type { FieldPairs } from './fields.ts'

/** What a page's player may read of a reply. */
const EXPOSED = 'Age, Cache-Status, Content-Length, Content-Range, Date, Server-Timing'
const PREFLIGHT_SECONDS = 86_400
/**
 * What a browser sends instead of the page's origin once a cross-origin redirect has led to another origin
 * (Fetch, "redirect-taint"): every page that a scheduler has sent here. The list was applied to the true origin
 * by the scheduler, whose redirect the browser checks too. A page can have itself called `null` on purpose, and
 * gains nothing but bytes that any client may have: no reply to it allows credentials, and who may have the content
 * is for the access rules to say.
 */
export const TAINTED = 'null'

/** Fields for one reply to a page of `origin`; none when the property does not let it. `credentials`: cookies count. */
export function corsFields(
  allowed: readonly string[],
  origin: string | undefined,
  credentials = false,
): FieldPairs {
  if (credentials) return credentialedFields(allowed, origin)
  if (isForAnyPage(allowed)) return ANY_ORIGIN
  if (allowed.length === 0) return NONE
  // The answer depends on Origin even when there is none (Fetch §CORS and HTTP caches).
  if (origin === undefined || (origin !== TAINTED && !allowed.includes(origin))) return VARY_ONLY
  return ['Access-Control-Allow-Origin', origin, 'Access-Control-Expose-Headers', EXPOSED, 'Vary', 'Origin']
}

export function isForAnyPage(allowed: readonly string[]): boolean {
  return allowed.includes('*')
}

/** With cookies: never for any page, nor for `null`, behind which any page can stand. */
function credentialedFields(allowed: readonly string[], origin: string | undefined): FieldPairs {
  if (origin === undefined || origin === TAINTED || !allowed.includes(origin)) return VARY_ONLY
  return [
    'Access-Control-Allow-Origin',
    origin,
    'Access-Control-Allow-Credentials',
    'true',
    'Access-Control-Expose-Headers',
    EXPOSED,
    'Vary',
    'Origin',
  ]
}

/** Fields a preflight gets besides those above. `requested` is Access-Control-Request-Headers. */
export function preflightFields(requested: string | undefined): FieldPairs {
  const headers = requested !== undefined && /^[A-Za-z0-9 ,_-]{1,512}$/.test(requested) ? requested : 'Range'
  return [
    'Access-Control-Allow-Methods',
    'GET, HEAD, OPTIONS',
    'Access-Control-Allow-Headers',
    headers,
    'Access-Control-Max-Age',
    String(PREFLIGHT_SECONDS),
  ]
}

const NONE: FieldPairs = []
const VARY_ONLY: FieldPairs = ['Vary', 'Origin']
const ANY_ORIGIN: FieldPairs = [
  'Access-Control-Allow-Origin',
  '*',
  'Access-Control-Expose-Headers',
  EXPOSED,
  'Timing-Allow-Origin',
  '*',
]
