// Cache-Control of a response (RFC 9111 §5.2), and the fields that target a CDN in its place (RFC 9213): the
// directives a shared cache acts on.
import type { FieldBlock } from './fields.ts'
import { parseDictionary } from './structured-fields.ts'

export interface CacheControl {
  noStore: boolean
  /** `no-cache` without field names. */
  noCache: boolean
  /** Fields named by `no-cache`: not to be used without validation, so not kept (RFC 9111 §5.2.2.4). */
  noCacheFields: readonly string[]
  /** With field names too: what is for one client is not taken apart (RFC 9111 §5.2.2.7 allows it). */
  private: boolean
  public: boolean
  mustRevalidate: boolean
  proxyRevalidate: boolean
  mustUnderstand: boolean
  /** Seconds; undefined when absent. An invalid value counts as 0: stale. */
  maxAge: number | undefined
  sMaxAge: number | undefined
  /** RFC 5861; seconds. */
  staleWhileRevalidate: number | undefined
  staleIfError: number | undefined
  /** These come from a targeted field: Cache-Control, Expires and Pragma say nothing then. */
  targeted: boolean
}

/** Longer text is not read but taken as `no-store`: nobody writes it but to keep a parser busy. */
const TEXT_MAX = 4096
/** RFC 9111 §1.2.2: what does not fit is taken as this. */
const DELTA_SECONDS_MAX = 2 ** 31

/** What holds for this cache: the first valid targeted field, else Cache-Control. */
export function cacheControlOf(fields: FieldBlock): CacheControl {
  const cdn = fields.list('cdn-cache-control')
  return (
    (cdn === undefined ? undefined : parseTargeted(cdn)) ?? parseCacheControl(fields.list('cache-control'))
  )
}

/**
 * A directive wherever one begins, whatever stands between them: a field that some other server would read as
 * `no-store` must not lose it here over a missing comma.
 */
const DIRECTIVE =
  /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?|"(?:[^"\\]|\\.)*"/g

export function parseCacheControl(text: string | undefined): CacheControl {
  const result = nothingSaid()
  if (text === undefined) return result
  if (text.length > TEXT_MAX) return { ...result, noStore: true }
  for (const match of text.matchAll(DIRECTIVE)) {
    // A quoted string on its own is no directive, nor is anything in it.
    if (match[1] !== undefined) apply(result, match[1].toLowerCase(), match[2] ?? match[3])
  }
  return result
}

/** undefined for a field that is empty or not a dictionary: it is then as if it were not there (RFC 9213 §2.1). */
export function parseTargeted(text: string): CacheControl | undefined {
  const members = parseDictionary(text)
  if (members === undefined || members.size === 0) return undefined
  const result = { ...nothingSaid(), targeted: true }
  for (const [name, item] of members) {
    // A lifetime that is not an integer is not one: the directive is ignored, not guessed at.
    if (item.type === 'integer' && item.value >= 0) apply(result, name, String(item.value))
    else if (item.type === 'boolean' && item.value) applyFlag(result, name)
  }
  return result
}

function nothingSaid(): CacheControl {
  return {
    noStore: false,
    noCache: false,
    noCacheFields: [],
    private: false,
    public: false,
    mustRevalidate: false,
    proxyRevalidate: false,
    mustUnderstand: false,
    maxAge: undefined,
    sMaxAge: undefined,
    staleWhileRevalidate: undefined,
    staleIfError: undefined,
    targeted: false,
  }
}

function apply(result: CacheControl, name: string, value: string | undefined): void {
  switch (name) {
    case 'no-cache':
      if (value === undefined) result.noCache = true
      else result.noCacheFields = [...result.noCacheFields, ...fieldNames(value)]
      break
    case 'max-age':
      result.maxAge = smaller(result.maxAge, deltaSeconds(value))
      break
    case 's-maxage':
      result.sMaxAge = smaller(result.sMaxAge, deltaSeconds(value))
      break
    case 'stale-while-revalidate':
      result.staleWhileRevalidate = smaller(result.staleWhileRevalidate, deltaSeconds(value))
      break
    case 'stale-if-error':
      result.staleIfError = smaller(result.staleIfError, deltaSeconds(value))
      break
    default:
      applyFlag(result, name)
  }
}

function applyFlag(result: CacheControl, name: string): void {
  switch (name) {
    case 'no-store':
      result.noStore = true
      break
    case 'no-cache':
      result.noCache = true
      break
    case 'private':
      result.private = true
      break
    case 'public':
      result.public = true
      break
    case 'must-revalidate':
      result.mustRevalidate = true
      break
    case 'proxy-revalidate':
      result.proxyRevalidate = true
      break
    case 'must-understand':
      result.mustUnderstand = true
      break
    default:
  }
}

function fieldNames(value: string): string[] {
  return value
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
}

/** Repeated directives that differ: the shorter lifetime is the safe one (RFC 9111 §4.2.1). */
function smaller(known: number | undefined, next: number): number {
  return known === undefined ? next : Math.min(known, next)
}

function deltaSeconds(value: string | undefined): number {
  if (value === undefined || !/^\d+$/.test(value)) return 0
  return Math.min(Number(value), DELTA_SECONDS_MAX)
}
