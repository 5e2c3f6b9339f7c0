// The one error type of both daemons and the table that maps its codes to HTTP statuses.
// Expected outcomes (a miss, a stale entry) are return values; this is for what went wrong.

/** Who is at fault; the log, the metrics and Proxy-Status use the same word. */
export type ErrorSource = 'client' | 'origin' | 'peer' | 'self'

/** code → the HTTP status a client sees when nothing better can be served. */
export const ERROR_STATUS = {
  bad_request: 400,
  target_too_long: 414,
  unknown_host: 404,
  unknown_route: 404,
  unknown_property: 404,
  method_not_allowed: 405,
  /** By a rule, a token or a limit, which may say another status. */
  denied: 403,
  range_not_satisfiable: 416,
  origin_refused: 502,
  origin_unreachable: 502,
  /** Not asked: it has failed, and nobody has found it back yet. */
  origin_down: 503,
  /** Not the one that it should show: nothing was asked. */
  origin_certificate: 502,
  origin_protocol: 502,
  origin_truncated: 502,
  origin_timeout: 504,
  reload_timeout: 503,
  origin_growing: 502,
  origin_busy: 503,
  loop_detected: 508,
  /** Says that it comes from an edge, and does not prove it. */
  peer_token: 403,
  /** An edge that asks knows of purges that this one has not heard of. */
  peer_behind: 503,
  no_edge: 503,
  overloaded: 503,
  internal: 500,
  config_invalid: 500,
  disk: 500,
} as const

export type ErrorCode = keyof typeof ERROR_STATUS

export class EdgewardError extends Error {
  readonly code: ErrorCode
  readonly source: ErrorSource
  /** True when the same request may succeed elsewhere or later. */
  readonly retry: boolean
  /** What a client sees. */
  readonly status: number

  constructor(
    code: ErrorCode,
    source: ErrorSource,
    message: string,
    options: { retry?: boolean; cause?: unknown; status?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'EdgewardError'
    this.code = code
    this.source = source
    this.retry = options.retry ?? false
    this.status = options.status ?? ERROR_STATUS[code]
  }
}

/** The `code` of a Node system error (`EADDRINUSE`, `ENOSPC` …), if it is one. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return undefined
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
