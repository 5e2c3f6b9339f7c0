// The connection to Redis, bounded in time: what is not answered soon ends the connection, and with it every command
// that waits on it. Knows how slow the answers were of late.
import type { ChainableCommander } from 'ioredis'
import type { Clock } from '../../src/clock.ts'
import { DOWN_AFTER_MS, REGISTRY_TIMEOUT_MS } from '../limits.ts'
import { createRedisClient } from './redis-client.ts'
import type { RedisClient, RedisTarget } from './redis-client.ts'

export class RedisLink {
  readonly client: RedisClient
  readonly #clock: Clock
  /** The slowest answer of late, and until when it counts. */
  #slowest = { ms: 0, untilMs: 0 }
  #handshakeSinceMs: number | null = null

  /** Not connected yet. */
  constructor(target: RedisTarget, clock: Clock) {
    this.client = createRedisClient(target)
    this.#clock = clock
  }

  /** Whether commands can be sent. A handshake that takes too long is ended: who asks does so again and again. */
  checkReady(): boolean {
    if (this.client.status === 'ready') {
      this.#handshakeSinceMs = null
      return true
    }
    this.#endLongHandshake()
    return false
  }

  /** The replies. Past the bound the connection is dropped. Rejects when one of them is an error. */
  async inTime(pipeline: ChainableCommander): Promise<unknown[]> {
    const results = await this.eachInTime(pipeline)
    return results.map(([error, reply]) => {
      if (error !== null) throw error
      return reply
    })
  }

  /** The same, with the error of each command beside its reply. */
  async eachInTime(pipeline: ChainableCommander): Promise<[error: Error | null, reply: unknown][]> {
    const sentAtMs = this.#clock.monotonic()
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      late.reject(new Error(`no answer within ${REGISTRY_TIMEOUT_MS} ms`))
      this.client.disconnect(true)
    }, REGISTRY_TIMEOUT_MS)
    try {
      const results = await Promise.race([pipeline.exec(), late.promise])
      if (results === null) throw new Error('the transaction was discarded')
      return results
    } finally {
      clearTimeout(timer)
      this.#noteAnswer(sentAtMs)
    }
  }

  /** A report waits twice for a slow Redis: to be written by its scheduler, and to be read by this one. */
  slackMs(): number {
    return 2 * Math.min(this.#slowest.ms, REGISTRY_TIMEOUT_MS)
  }

  /** A server that stands still takes connections and says nothing; the next attempt may lead to another. */
  #endLongHandshake(): void {
    const nowMs = this.#clock.monotonic()
    if (this.client.status !== 'connect') this.#handshakeSinceMs = null
    else if (this.#handshakeSinceMs === null) this.#handshakeSinceMs = nowMs
    else if (nowMs - this.#handshakeSinceMs >= REGISTRY_TIMEOUT_MS) {
      this.#handshakeSinceMs = null
      this.client.disconnect(true)
    }
  }

  #noteAnswer(sentAtMs: number): void {
    const nowMs = this.#clock.monotonic()
    const ms = nowMs - sentAtMs
    if (ms < this.#slowest.ms && nowMs < this.#slowest.untilMs) return
    this.#slowest = { ms, untilMs: nowMs + DOWN_AFTER_MS }
  }
}
