// What a probe that got no answer has found, of an edge or of an origin.
import { messageOf, systemCode } from '../../src/errors.ts'
import type { ProbeResult } from './reachability.ts'

export interface Probed {
  readonly result: ProbeResult
  /** In words, for the log. */
  readonly detail: string
}

const RESULT_OF_CODE: Readonly<Record<string, ProbeResult>> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'name',
  ENODATA: 'name',
  EAI_AGAIN: 'local',
  ENETUNREACH: 'local',
  EADDRNOTAVAIL: 'local',
  EAFNOSUPPORT: 'local',
  EMFILE: 'local',
  ENFILE: 'local',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
}

const TLS_CODE = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/

export function probedFailure(error: unknown): Probed {
  const detail = messageOf(error)
  if (error instanceof Error && error.name === 'TimeoutError') return { result: 'timeout', detail }
  const code = systemCode(error) ?? ''
  const result = RESULT_OF_CODE[code] ?? (TLS_CODE.test(code) ? 'tls' : 'failed')
  return { result, detail }
}

/** A certificate is for a name, not for an address: of a literal none is asked for by name. */
export function serverName(host: string): string {
  const name = host.replace(/:\d+$/, '')
  return /^[\d.]+$|^\[/.test(name) ? '' : name
}
