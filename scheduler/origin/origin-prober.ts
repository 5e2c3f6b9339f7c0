// One probe: asks an origin over one address family for its health path, as edges ask it: Host, further fields, and
// certificates as configured. The name is looked up and the connection made anew each time: what was open before says
// nothing of the next.
import { createSecureContext } from 'node:tls'
import type { SecureContext } from 'node:tls'
import { Client, buildConnector } from 'undici'
import type { ClusterOriginSettings } from '../../src/config/scheduler-schema.ts'
import type { OriginHealthSettings } from '../../src/config/origin-schema.ts'
import { parseIp } from '../../src/net/ip.ts'
import { probedFailure, serverName } from '../health/probe-failure.ts'
import type { Probed } from '../health/probe-failure.ts'
import type { Family } from '../health/reachability.ts'
import type { ProbeLookups } from './probe-lookups.ts'

export interface ProbedOrigin extends ClusterOriginSettings {
  readonly health: OriginHealthSettings
}

export function isProbed(origin: ClusterOriginSettings): origin is ProbedOrigin {
  return origin.health !== undefined
}

/** Of a literal address its own; of a name those that are configured, or both. */
export function familiesOf({ url, health }: ProbedOrigin): readonly Family[] {
  const literal = parseIp(new URL(url).hostname.replaceAll(/[[\]]/g, ''))
  if (literal !== undefined) return [literal.family]
  return health.families ?? [4, 6]
}

export class OriginProber {
  readonly #origin: ProbedOrigin
  readonly #family: Family
  readonly #lookups: ProbeLookups
  readonly #secureContext: SecureContext | undefined
  readonly #closing = new AbortController()

  constructor(origin: ProbedOrigin, family: Family, lookups: ProbeLookups) {
    const { ca, certificate: cert, key } = origin.tls ?? {}
    this.#origin = origin
    this.#family = family
    this.#lookups = lookups
    this.#secureContext = origin.url.startsWith('https:') ? createSecureContext({ ca, cert, key }) : undefined
  }

  /** Resolves within the timeout; never rejects. */
  async probe(): Promise<Probed> {
    const { url, host = new URL(url).host, headers, health } = this.#origin
    const client = this.#client(host)
    try {
      const { statusCode, body } = await client.request({
        method: 'GET',
        path: health.path,
        headers: { ...headers, host },
        signal: AbortSignal.any([AbortSignal.timeout(health.timeout), this.#closing.signal]),
      })
      // Its head says what is asked for, and a page may be long.
      body.on('error', () => {}).destroy()
      if (health.statuses.includes(statusCode)) return { result: 'ok', detail: '' }
      return { result: 'status', detail: `the answer is ${statusCode}` }
    } catch (error) {
      return probedFailure(error)
    } finally {
      await client.destroy()
    }
  }

  close(): void {
    this.#closing.abort()
  }

  #client(host: string): Client {
    const { url, tls, health } = this.#origin
    const servername = tls?.serverName ?? serverName(host)
    const connect = buildConnector({
      autoSelectFamily: false,
      family: this.#family,
      lookup: this.#lookups.lookup,
      timeout: health.timeout,
      maxCachedSessions: 0,
      signal: this.#closing.signal,
      ...(this.#secureContext === undefined ? {} : { secureContext: this.#secureContext }),
    })
    return new Client(new URL(url).origin, {
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: 16 * 1024,
      // undici would rather ask for the name of the Host field.
      connect: (target, callback) => connect({ ...target, servername }, callback),
    })
  }
}
