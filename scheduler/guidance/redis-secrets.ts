// The secrets of schedulers that share a Redis: a key for each hour, written by whoever is first and read by all. Those
// already held go on while Redis is away, and are put back where it lost them. Owns a connection and a timer.
import type { Clock } from '../../src/clock.ts'
import type { Background } from '../../src/background.ts'
import type { Logger } from '../../src/log.ts'
import type { PeerSecret } from '../../src/wire/guidance.ts'
import { BoundedLog } from '../bounded-log.ts'
import { REGISTRY_FIRST_READ_MS } from '../limits.ts'
import { redisProblem } from '../registry/redis-client.ts'
import type { RedisTarget } from '../registry/redis-client.ts'
import { RedisLink } from '../registry/redis-link.ts'
import { SECRETS_AGAIN_MS, SECRETS_LOOK_MS, SECRET_MS } from './limits.ts'
import { isSecretKey, newSecretKey, secretHoursAt, secretOf } from './secret-store.ts'
import type { SecretStore } from './secret-store.ts'

export interface RedisSecretsOptions {
  readonly redis: RedisTarget
  readonly cluster: string
  readonly clock: Clock
  readonly log: Logger
  readonly background: Background
}

export class RedisSecrets implements SecretStore {
  onChange: (() => void) | null = null
  readonly #options: RedisSecretsOptions
  readonly #link: RedisLink
  readonly #warnings: BoundedLog
  readonly #looked = Promise.withResolvers<void>()
  #secrets: ReadonlyMap<number, PeerSecret> = new Map()
  #timer: NodeJS.Timeout | undefined
  #failure = 'not connected yet'
  #failureLogged = false
  #closed = false

  /** Gives a store after its first look, or after a bounded wait without one. */
  static async open(options: RedisSecretsOptions): Promise<RedisSecrets> {
    const secrets = new RedisSecrets(options)
    const timer = setTimeout(secrets.#looked.resolve, REGISTRY_FIRST_READ_MS)
    await secrets.#looked.promise
    clearTimeout(timer)
    return secrets
  }

  private constructor(options: RedisSecretsOptions) {
    const { redis, clock, log } = options
    this.#options = options
    this.#warnings = new BoundedLog(clock, log)
    this.#link = new RedisLink(redis, clock)
    const { client } = this.#link
    // Without a listener an 'error' would end the process; the next look meets the same.
    client.on('error', (error: Error) => (this.#failure = redisProblem(error, redis)))
    client.on('ready', () => this.#lookSoon(0))
    client.connect().catch(() => {})
    this.#lookSoon(SECRETS_AGAIN_MS)
  }

  current(): readonly PeerSecret[] {
    const hours = secretHoursAt(this.#options.clock.now())
    return hours.flatMap((hour) => this.#secrets.get(hour) ?? [])
  }

  async close(): Promise<void> {
    this.#closed = true
    this.onChange = null
    clearTimeout(this.#timer)
    this.#link.client.disconnect()
  }

  #lookSoon(afterMs: number): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#options.background('secrets of edges', this.#look()), afterMs)
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    try {
      if (!this.#link.checkReady()) throw new Error(this.#failure)
      await this.#share()
      if (this.#failureLogged) this.#options.log.info('secrets of edges are shared again')
      this.#failureLogged = false
      this.#looked.resolve()
      this.#lookSoon(SECRETS_LOOK_MS)
    } catch (error) {
      if (!this.#closed) this.#failed(error)
      this.#lookSoon(SECRETS_AGAIN_MS)
    }
  }

  /** What is there already wins: others have handed it out. */
  async #share(): Promise<void> {
    const nowMs = this.#options.clock.now()
    const hours = secretHoursAt(nowMs)
    const pipeline = this.#link.client.pipeline()
    for (const hour of hours) {
      const key = this.#keyOf(hour)
      const leftMs = Math.ceil((hour + 3) * SECRET_MS - nowMs)
      pipeline.set(key, this.#secrets.get(hour)?.key ?? newSecretKey(), 'PX', leftMs, 'NX').get(key)
    }
    const replies = await this.#link.inTime(pipeline)
    if (this.#closed) return
    const next = new Map<number, PeerSecret>()
    for (const [i, hour] of hours.entries()) {
      const stored = replies[2 * i + 1]
      const held = this.#secrets.get(hour)
      if (isSecretKey(stored)) next.set(hour, held?.key === stored ? held : secretOf(hour, stored))
      else {
        this.#warnings.warn('secret', {}, 'registry holds an unreadable secret of edges; ignored')
        if (held !== undefined) next.set(hour, held)
      }
    }
    const isSame = next.size === this.#secrets.size && [...next].every(([h, s]) => this.#secrets.get(h) === s)
    this.#secrets = next
    if (!isSame) this.onChange?.()
  }

  /** One line however long it lasts. A start does without: edges have those of before. */
  #failed(error: unknown): void {
    if (this.#failureLogged) return
    this.#failureLogged = true
    const reason = redisProblem(error, this.#options.redis)
    this.#options.log.warn({ reason }, 'secrets of edges cannot be shared; those already known go on')
  }

  #keyOf(hour: number): string {
    return `edgeward:{${this.#options.cluster}}:peer-secret:${hour}`
  }
}
