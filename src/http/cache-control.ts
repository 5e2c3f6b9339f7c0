// Cache-Control of a response (RFC 9111 §5.2): the directives a shared cache acts on.

export interface CacheControl {
  noStore: boolean
  /** `no-cache` without field names. */
  noCache: boolean
  /** `private` without field names. */
  private: boolean
  public: boolean
  mustRevalidate: boolean
  /** Seconds; undefined when absent. An invalid or repeated-and-different value counts as 0: stale. */
  maxAge: number | undefined
  sMaxAge: number | undefined
}

/**
 * A directive wherever one begins, whatever stands between them: a field that some other server would read as
 * `no-store` must not lose it here over a missing comma.
 */
const DIRECTIVE = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g
/** RFC 9111 §1.2.2: what does not fit is taken as this. */
const DELTA_SECONDS_MAX = 2 ** 31

export function parseCacheControl(text: string | undefined): CacheControl {
  const result: CacheControl = {
    noStore: false,
    noCache: false,
    private: false,
    public: false,
    mustRevalidate: false,
    maxAge: undefined,
    sMaxAge: undefined,
  }
  if (text === undefined) return result
  for (const match of text.matchAll(DIRECTIVE)) {
    const value = match[2] ?? match[3]
    apply(result, (match[1] ?? '').toLowerCase(), value)
  }
  return result
}

function apply(result: CacheControl, name: string, value: string | undefined): void {
  switch (name) {
    case 'no-store':
      result.noStore = true
      break
    // With field names the whole response may not be reused as it is; taking them as the bare directive is
    // the safe reading (RFC 9111 §5.2.2.4, §5.2.2.7).
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
    case 'proxy-revalidate':
      result.mustRevalidate = true
      break
    case 'max-age':
      result.maxAge = smaller(result.maxAge, deltaSeconds(value))
      break
    case 's-maxage':
      result.sMaxAge = smaller(result.sMaxAge, deltaSeconds(value))
      break
    default:
  }
}

/** Repeated directives that differ: the shorter lifetime is the safe one (RFC 9111 §4.2.1). */
function smaller(known: number | undefined, next: number): number {
  return known === undefined ? next : Math.min(known, next)
}

function deltaSeconds(value: string | undefined): number {
  if (value === undefined || !/^\d+$/.test(value)) return 0
  return Math.min(Number(value), DELTA_SECONDS_MAX)
}
