// The schedulers that share a Redis: one key each, with a short lifetime, and a set of their ids to find the keys by.
// The set may hold too much or too little for a moment: each scheduler adds itself with every read, and whoever finds
// no key takes the id out. It does no I/O; redis.ts reads and writes for it.
import { z } from 'zod'
import type { ChainableCommander } from 'ioredis'
import { formatIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import type { BoundedLog } from '../bounded-log.ts'
import { SCHEDULER_PRESENT_MS, SCHEDULERS_MAX } from '../limits.ts'
import { UNNAMED, addressesOf, namedAddresses, parsePresence } from './presence.ts'
import type { OwnPresence, StoredPresence } from './presence.ts'

interface OtherScheduler {
  /** As read, so that an unchanged value is not parsed again. */
  text: string
  addresses: readonly IpAddress[]
  /** By this scheduler's clock. Until then a missing key is no news: the store may have been flushed. */
  liveUntilMs: number
}

const repliesSchema = z.tuple([z.array(z.string()), z.array(z.string().nullable())], z.number())
const idSchema = z.uuid()

export class RedisPresence {
  readonly #self: string
  readonly #keyPrefix: string
  readonly #warnings: BoundedLog
  #own: OwnPresence = UNNAMED
  readonly #others = new Map<string, OtherScheduler>()
  /** Ids in the set that no scheduler has, as of the last read. */
  #gone: string[] = []
  /** Of the read that is under way, in the order of their replies. */
  #asked: string[] = []
  named: readonly IpAddress[] = []

  constructor(self: string, keyPrefix: string, warnings: BoundedLog) {
    this.#self = self
    this.#keyPrefix = keyPrefix
    this.#warnings = warnings
  }

  announce(addresses: readonly string[]): void {
    this.#own = { addresses: addressesOf(addresses), isLeaving: false }
    this.#rebuild()
  }

  /** Gives false when others have nothing to hear of it. */
  leave(): boolean {
    const { addresses, isLeaving } = this.#own
    if (isLeaving || addresses.length === 0) return false
    this.#own = { addresses, isLeaving: true }
    this.#rebuild()
    return true
  }

  /** Who leaves says so: a key that is merely gone may have been lost by the store. */
  addWrites(pipeline: ChainableCommander): void {
    const { addresses, isLeaving } = this.#own
    const named = isLeaving ? [] : addresses.map(formatIp)
    const text = JSON.stringify({ addresses: named } satisfies StoredPresence)
    pipeline.set(this.#keyOf(this.#self), text, 'PX', SCHEDULER_PRESENT_MS)
    if (named.length > 0) pipeline.sadd(this.#idsKey, this.#self)
    else pipeline.srem(this.#idsKey, this.#self)
  }

  /** Gives the index of the first reply for takeReplies; they are as many as commands were added from there on. */
  addReads(pipeline: ChainableCommander): number {
    // Its own too: MGET needs one, and unlike GET takes a key of another type for none.
    this.#asked = [this.#self, ...this.#others.keys()]
    const keys = this.#asked.map((id) => this.#keyOf(id))
    if (this.#gone.length > 0) pipeline.srem(this.#idsKey, ...this.#gone)
    const first = pipeline.length
    // All of them, unless there are too many.
    pipeline.srandmember(this.#idsKey, 2 * SCHEDULERS_MAX).mget(...keys)
    for (const key of keys) pipeline.pttl(key)
    return first
  }

  /** `nowMs`: they are here. `inGrace`: the store has just come back, and others may find it later than this scheduler. */
  takeReplies(replies: readonly unknown[], nowMs: number, inGrace: boolean): void {
    const [ids, texts, ...leftMs] = repliesSchema.parse(replies)
    this.#gone = []
    this.#asked.forEach((id, i) => {
      const other = this.#others.get(id)
      if (other === undefined || this.#take(other, texts[i] ?? null, leftMs[i] ?? 0, nowMs)) return
      if (inGrace || nowMs < other.liveUntilMs) return
      this.#others.delete(id)
      this.#gone.push(id)
    })
    for (const id of ids) this.#meet(id)
    this.#rebuild()
  }

  /** Gives false when there is no key of a scheduler. */
  #take(other: OtherScheduler, text: string | null, leftMs: number, nowMs: number): boolean {
    // -2: it expired since it was read.
    if (text === null || leftMs === -2) return false
    const addresses = other.text === text ? other.addresses : parsePresence(text)
    // Without a lifetime, or with a longer one than any scheduler gives it, it would outlive its scheduler.
    if (addresses === undefined || leftMs < 0 || leftMs > SCHEDULER_PRESENT_MS) {
      this.#warnings.warn('scheduler', {}, 'registry holds an unreadable word of a scheduler; ignored')
      return false
    }
    other.text = text
    other.addresses = addresses
    other.liveUntilMs = nowMs + leftMs
    return true
  }

  /** Its key is asked for with the next read. */
  #meet(id: string): void {
    if (id === this.#self || this.#others.has(id) || this.#gone.includes(id)) return
    if (!idSchema.safeParse(id).success) this.#gone.push(id)
    else if (this.#others.size < SCHEDULERS_MAX - 1) {
      this.#others.set(id, { text: '', addresses: [], liveUntilMs: Number.NEGATIVE_INFINITY })
    } else {
      this.#warnings.warn('schedulers', { max: SCHEDULERS_MAX }, 'too many schedulers; some are not named')
    }
  }

  #rebuild(): void {
    const others = [...this.#others.values()].flatMap(({ addresses }) => addresses)
    this.named = namedAddresses(this.#own, others)
  }

  get #idsKey(): string {
    return `${this.#keyPrefix}schedulers`
  }

  #keyOf(id: string): string {
    return `${this.#keyPrefix}scheduler:${id}`
  }
}
