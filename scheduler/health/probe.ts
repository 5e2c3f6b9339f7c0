// One probe: asks an edge at one of its addresses for its health, as a player's connection would reach it, over a
// connection that is kept for a few. Any answer of the edge itself is reachability; how it fares, its reports say.
import { Client } from 'undici'
import type { Dispatcher } from 'undici'
import { EDGE_FIELD, HEALTH_PATH } from '../../src/wire/health.ts'
import { PROBE_BYTES_MAX, PROBES_PER_CONNECTION } from '../limits.ts'
import type { ProbeTarget } from './probe-targets.ts'
import { probedFailure, serverName } from './probe-failure.ts'
import type { Probed } from './probe-failure.ts'

/** Longer than `every` of any use: a few probes share a connection, so that not each costs a handshake. */
const KEEP_ALIVE_MS = 300_000

export class Prober {
  readonly #target: ProbeTarget
  readonly #timeoutMs: number
  readonly #client: Client
  readonly #closing = new AbortController()

  constructor(target: ProbeTarget, timeoutMs: number) {
    this.#target = target
    this.#timeoutMs = timeoutMs
    const { family, host } = target
    this.#client = new Client(target.origin, {
      pipelining: 1,
      allowH2: false,
      maxRequestsPerClient: PROBES_PER_CONNECTION,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: 16 * 1024,
      maxResponseSize: PROBE_BYTES_MAX,
      // Both families must be seen apart.
      autoSelectFamily: false,
      connect: {
        family,
        timeout: timeoutMs,
        servername: serverName(host),
        // A resumed session would not show a certificate that has expired since.
        maxCachedSessions: 0,
        signal: this.#closing.signal,
      },
    })
  }

  /** Resolves within the timeout; never rejects. */
  async probe(): Promise<Probed> {
    const { host, basePath, edge } = this.#target
    try {
      const answer = await this.#client.request({
        method: 'GET',
        path: basePath + HEALTH_PATH,
        headers: { host },
        signal: AbortSignal.timeout(this.#timeoutMs),
      })
      // Not dump(), which takes a body that breaks, lasts or never ends for one that was read.
      await answer.body.text()
      return judgeAnswer(answer, edge.id)
    } catch (error) {
      return probedFailure(error)
    }
  }

  async close(): Promise<void> {
    // A connection that is being made is not the client's yet.
    this.#closing.abort()
    await this.#client.destroy()
  }
}

/** An edge that drains answers 503, and is reached. */
function judgeAnswer({ statusCode, headers }: Dispatcher.ResponseData, id: string): Probed {
  const named = headers[EDGE_FIELD.toLowerCase()]
  if (named === id && (statusCode === 200 || statusCode === 503)) return { result: 'ok', detail: '' }
  if (typeof named === 'string' && named !== id) {
    // From another machine: quoted, and short.
    return { result: 'other-edge', detail: `${JSON.stringify(named.slice(0, 64))} answers there` }
  }
  return { result: 'status', detail: `the answer is ${statusCode}, and not of an edge of this version` }
}
