// The connections to upstreams: one pool for those that are asked alike. A pool that no configuration and no guidance
// names any more is closed once the answers on it have ended.
import { Pool } from 'undici'
import type { WireOrigin } from '../../src/wire/edge-config.ts'
import { UPSTREAM_HEAD_BYTES_MAX } from '../limits.ts'
import { upstreamConnector } from './connector.ts'

export interface PoolSettings {
  /** `https://host:port`. */
  readonly origin: string
  /** Never has to queue: the places do. */
  readonly connections: number
  readonly timeouts: WireOrigin['timeouts']
  readonly tls?: WireOrigin['tls']
  /** Asked for by SNI, and checked in the certificate, where `tls` does not say it. */
  readonly serverName?: string | undefined
}

export class Pools {
  readonly #pools = new Map<string, Pool>()
  /** Closing, with answers on them. */
  readonly #leaving = new Set<Pool>()

  /** Made when it is first asked for. */
  of(key: string, settings: () => PoolSettings): Pool {
    let pool = this.#pools.get(key)
    if (pool === undefined) this.#pools.set(key, (pool = newPool(settings())))
    return pool
  }

  /** Closes the others. */
  keep(isNamed: (key: string) => boolean): void {
    for (const [key, pool] of this.#pools) {
      if (isNamed(key)) continue
      this.#pools.delete(key)
      this.#leaving.add(pool)
      const gone = () => this.#leaving.delete(pool)
      pool.close().then(gone, gone)
    }
  }

  async close(): Promise<void> {
    const all = [...this.#pools.values(), ...this.#leaving]
    this.#pools.clear()
    await Promise.all(all.map((pool) => pool.destroy()))
  }
}

function newPool({ origin, connections, timeouts, tls, serverName }: PoolSettings): Pool {
  return new Pool(origin, {
    connections,
    pipelining: 1,
    headersTimeout: timeouts.head,
    bodyTimeout: timeouts.body,
    maxHeaderSize: UPSTREAM_HEAD_BYTES_MAX,
    connect: upstreamConnector({
      timeout: timeouts.connect,
      autoSelectFamily: true,
      ca: tls?.ca,
      cert: tls?.certificate,
      key: tls?.key,
      servername: tls?.serverName ?? serverName,
    }),
    allowH2: false,
  })
}
