// Response rate limiting (RRL, as BIND and Knot do it): replies to forged addresses stop being of use to a flood. A
// bucket of tokens for each client network and kind of reply; over the rate a reply is truncated or left out, and real
// clients come again over TCP. It is for UDP, and for queries without a good cookie: callers ask for nothing else.
//
// Memory is fixed: a table of sets of four buckets, found by a keyed hash, so that nobody can aim at a set. A network
// without a bucket takes over the fullest of its set, as full as that is, if a token is left in it. So
// - tokens never come from nowhere: whoever comes and goes, the buckets of a set give at most 4 times
//   (burst + rate × time), and so at most does one network, however many others are forged to push it out;
// - while a set has at most four networks that are not full again, each has its own bucket, as exact as without others;
// - a network over its rate cannot be pushed out and come back with tokens;
// - a network that finds no token in the whole set gets a truncated reply, never none (unless `slip` is 0). For that to
//   happen all over the table a flood must bring rate × buckets a second: 1.3 million at a rate of 20.
import assert from 'node:assert/strict'
import type { CidrTree } from '../../src/net/cidr-tree.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { RATE_LIMIT_BUCKETS, RATE_LIMIT_SLIP_MAX } from './limits.ts'
import type { WireName } from './message/names.ts'
import { SIP_HASH_OCTETS, sipHash24, sipKeyOf } from './siphash.ts'
import type { SipKey } from './siphash.ts'

/**
 * What counts together: `answer`, replies about one name; `negative`, all that does not exist in one zone, since a
 * flood asks for another name each time; `error`, every refusal and failure.
 */
export type AnswerKind = 'answer' | 'negative' | 'error'

/** `slip`: send a truncated reply, which is hardly larger than the query and makes a real client come over TCP. */
export type RateDecision = 'send' | 'slip' | 'drop'

export interface RateLimitSettings {
  /** Replies a second to one network, of each kind and name. */
  readonly rate: number
  /** Replies at once after a pause. BIND's window of w seconds is a burst of w × rate. */
  readonly burst: number
  /** Of the replies over the rate every so manieth is truncated and the others are dropped; 0: all dropped. */
  readonly slip: number
  /** Networks that are never limited. */
  readonly exempt: CidrTree<unknown>
}

const WAYS = 4
/** What one token counts: with time in whole milliseconds, a rate of whole tokens a second adds up exactly. */
const TOKEN = 1000
const KIND_NUMBER = { answer: 1, negative: 2, error: 3 } as const satisfies Record<AnswerKind, number>
/** Kind and family, then the network: the /24 of IPv4, the /56 of IPv6, as large as a forger cannot choose within. */
const NETWORK_OCTETS = 8
const NAME_OCTETS_MAX = 255

// Filled by #hash and read at once.
const hashed = new Uint8Array(NETWORK_OCTETS + NAME_OCTETS_MAX)
const hash = new Uint8Array(SIP_HASH_OCTETS)
const hashWords = new DataView(hash.buffer)

export class RateLimit {
  readonly #settings: RateLimitSettings
  readonly #key: SipKey
  readonly #buckets: number
  /** Half of the hash of what the bucket is for; two in a set share one when these are equal. */
  readonly #tag: Uint32Array
  /** When the bucket will be full again, in TOKEN × tokens that came in since the clock's 0. An unused one is full. */
  readonly #fullAt: Float64Array
  /** Replies over the rate since the last that was truncated. */
  readonly #over: Uint8Array

  /** `seed`: 16 random octets that nobody else knows. */
  constructor(settings: RateLimitSettings, seed: Uint8Array, buckets: number = RATE_LIMIT_BUCKETS) {
    assert(settings.rate > 0 && settings.burst >= 1)
    assert(Number.isInteger(settings.slip) && settings.slip >= 0 && settings.slip <= RATE_LIMIT_SLIP_MAX)
    assert(buckets >= WAYS && Number.isInteger(Math.log2(buckets)))
    this.#settings = settings
    this.#key = sipKeyOf(seed)
    this.#buckets = buckets
    this.#tag = new Uint32Array(buckets)
    this.#fullAt = new Float64Array(buckets)
    this.#over = new Uint8Array(buckets)
  }

  /**
   * What becomes of a reply, which counts by being asked about. `name`: of an answer the name it was found under, which
   * for names of a wildcard is the wildcard, or else each of them has its own bucket; of a negative the zone; an error
   * has none. `nowMs` only grows.
   */
  decide(client: IpAddress, kind: AnswerKind, name: WireName, nowMs: number): RateDecision {
    const { rate, burst, slip, exempt } = this.#settings
    if (exempt.find(client) !== undefined) return 'send'
    this.#hash(client, kind, kind === 'error' ? '' : name)
    const tag = hashWords.getUint32(0)
    const first = (hashWords.getUint32(4) & (this.#buckets - 1) & ~(WAYS - 1)) >>> 0

    const cameIn = Math.floor(nowMs) * rate
    const fullAtMax = cameIn + (burst - 1) * TOKEN
    let place = this.#placeOf(tag, first)
    if (place < 0) {
      place = this.#fullestOf(first)
      if (this.#fullAtOf(place) > fullAtMax) return slip === 0 ? 'drop' : 'slip'
      this.#tag[place] = tag
      this.#over[place] = 0
    }
    const fullAt = this.#fullAtOf(place)
    if (fullAt <= fullAtMax) {
      this.#fullAt[place] = Math.max(fullAt, cameIn) + TOKEN
      return 'send'
    }
    return this.#overRate(place, slip)
  }

  #overRate(place: number, slip: number): RateDecision {
    if (slip === 0) return 'drop'
    const over = (this.#over[place] ?? 0) + 1
    this.#over[place] = over % slip
    return over === slip ? 'slip' : 'drop'
  }

  #placeOf(tag: number, first: number): number {
    for (let i = first; i < first + WAYS; i++) if (this.#tag[i] === tag) return i
    return -1
  }

  #fullestOf(first: number): number {
    let fullest = first
    for (let i = first + 1; i < first + WAYS; i++)
      if (this.#fullAtOf(i) < this.#fullAtOf(fullest)) fullest = i
    return fullest
  }

  #fullAtOf(place: number): number {
    return this.#fullAt[place] ?? 0
  }

  #hash(client: IpAddress, kind: AnswerKind, name: WireName): void {
    const { family, a, b, d } = client
    const high = family === 4 ? d & 0xffff_ff00 : a
    hashed[0] = KIND_NUMBER[kind] * 16 + family
    hashed[1] = high >>> 24
    hashed[2] = high >>> 16
    hashed[3] = high >>> 8
    hashed[4] = high
    hashed[5] = b >>> 24
    hashed[6] = b >>> 16
    hashed[7] = b >>> 8
    assert(name.length <= NAME_OCTETS_MAX)
    for (let i = 0; i < name.length; i++) hashed[NETWORK_OCTETS + i] = name.charCodeAt(i)
    sipHash24(this.#key, hashed, NETWORK_OCTETS + name.length, hash, 0)
  }
}
