// What goes wrong with an upstream, in our words.
import { EdgewardError, messageOf, systemCode } from '../../src/errors.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { RESET_CODE } from './connector.ts'

const TIMEOUTS = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
])
const LOST = new Set(['UND_ERR_SOCKET', RESET_CODE, 'EPIPE'])

/** What Node finds wrong with a certificate, or with whom it leads to. */
const OF_CERTIFICATE = /^(?:ERR_TLS_CERT|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/

/** `cause`: as undici says it. */
export function upstreamError(upstream: string, cause: Error, headSeen: boolean): EdgewardError {
  const systemError = systemCode(cause) ?? ''
  let code: ErrorCode = 'origin_unreachable'
  if (TIMEOUTS.has(systemError)) code = 'origin_timeout'
  else if (LOST.has(systemError)) code = headSeen ? 'origin_truncated' : 'origin_unreachable'
  else if (OF_CERTIFICATE.test(systemError)) code = 'origin_certificate'
  else if (cause.name === 'HTTPParserError' || systemError.startsWith('UND_ERR_')) code = 'origin_protocol'
  const retry = code !== 'origin_protocol'
  return new EdgewardError(code, 'origin', `${upstream}: ${messageOf(cause)}`, { retry, cause })
}

/** As many are on their way to this upstream, or wait for it, as may. */
export function busyError(upstream: string): EdgewardError {
  return new EdgewardError('origin_busy', 'self', `${upstream}: no connection is free`, { retry: true })
}

/** A connection is no longer answered, and neither is a new one. */
export function silentError(upstream: string): EdgewardError {
  return new EdgewardError('origin_timeout', 'origin', `${upstream}: nothing comes from it`, { retry: true })
}

/** It was not even asked. */
export function downError(what: string): EdgewardError {
  return new EdgewardError('origin_down', 'origin', what, { retry: true })
}

/** The upstream may close a kept connection just as it is used again: that says nothing of its health. */
export function wasIdleConnection({ code, cause }: EdgewardError): boolean {
  return code === 'origin_unreachable' && cause instanceof Error && systemCode(cause) === 'UND_ERR_SOCKET'
}

const NOT_CONNECTED = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** It never was connected, or is no longer: whatever was asked for, this upstream is at fault. */
export function isOfConnection({ code, cause }: EdgewardError): boolean {
  return code === 'origin_certificate' || cause === undefined || NOT_CONNECTED.has(systemCode(cause) ?? '')
}

/** There was no connection, or nothing came in time: what would be sent next would wait as long for nothing. */
export function isUnreachable({ code }: EdgewardError): boolean {
  return code === 'origin_unreachable' || code === 'origin_certificate' || code === 'origin_timeout'
}
