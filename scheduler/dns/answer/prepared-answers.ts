// Answers that are made already, by question and by the client's network: encoded, and turned by one record for each
// reply. A steered one is used again for half a second at most, so that it never outlives a change of health by more;
// one to everybody from static records as long as its signatures.
import type { IpAddress } from '../../../src/net/ip.ts'
import {
  PREPARED_ANSWERS_MAX,
  PREPARED_MARKS,
  PREPARED_ORDERS_MAX,
  PREPARED_STATIC_MS,
  PREPARED_STEERED_MS,
} from '../limits.ts'
import { NO_PLACE, TYPE, placesOf } from '../message/codes.ts'
import { encodeSections, prepareSections } from '../message/records.ts'
import type { PreparedSections, Sections } from '../message/records.ts'
import type { AnswerHead, DnsAnswer, Question } from './answer.ts'

export interface PreparedAnswer {
  readonly answer: DnsAnswer
  readonly madeAtMs: number
  readonly holdsMs: number
  /** Gives its records as the next reply has them. */
  readonly take: () => PreparedSections
}

/** Of one question: for everybody, or by network. */
interface Slot {
  everybody: PreparedAnswer | undefined
  readonly networks: Map<number, PreparedAnswer>
}

/** Types that are asked for often enough; answers of others are made anew. */
const KEPT_TYPES = [
  TYPE.A,
  TYPE.AAAA,
  TYPE.HTTPS,
  TYPE.NS,
  TYPE.SOA,
  TYPE.TXT,
  TYPE.CAA,
  TYPE.MX,
  TYPE.DNSKEY,
]
const PLACES = placesOf(KEPT_TYPES)

/** What networks an answer by location is kept for: longer scopes are too many to be met again in time. */
const NETWORK_BITS = { 4: 24, 6: 48 } as const

export class PreparedAnswers {
  readonly #slots: (Slot | undefined)[] = []
  #networks = 0
  /** Of the questions since then. */
  readonly #marks = new Uint8Array(PREPARED_MARKS)
  #markedSinceMs = 0
  /** Answers that were made. */
  #made = 0

  /** `nameIndex`: of the name, which is there. */
  find(nameIndex: number, question: Question, client: IpAddress, nowMs: number): PreparedAnswer | undefined {
    const place = placeOf(nameIndex, question)
    const slot = place === undefined ? undefined : this.#slots[place]
    const kept = slot?.everybody ?? slot?.networks.get(networkKey(client))
    return kept !== undefined && nowMs - kept.madeAtMs < kept.holdsMs ? kept : undefined
  }

  /** Encodes an answer, and keeps it where it can be of use again. */
  prepare(
    nameIndex: number | undefined,
    question: Question,
    client: IpAddress,
    answer: DnsAnswer,
    nowMs: number,
  ): PreparedAnswer {
    const turn = this.nextTurn()
    const place = nameIndex === undefined ? undefined : placeOf(nameIndex, question)
    if (place === undefined || !this.#isToBeKept(place, client, answer, nowMs)) {
      return { answer, madeAtMs: nowMs, holdsMs: 0, take: () => takenOnce(question, answer, turn) }
    }
    const holdsMs = answer.source === 'static' ? PREPARED_STATIC_MS : PREPARED_STEERED_MS
    const prepared = { answer, madeAtMs: nowMs, holdsMs, take: takenInTurns(question, answer, turn) }
    this.#keep(place, client, prepared)
    return prepared
  }

  /** Which record stands in front of an answer that is made now. */
  nextTurn(): number {
    const turn = this.#made
    this.#made += 1
    return turn
  }

  /** Whether an answer to this question would be kept. */
  keeps(nameIndex: number, question: Question, client: IpAddress, head: AnswerHead, nowMs: number): boolean {
    const place = placeOf(nameIndex, question)
    return place !== undefined && this.#isToBeKept(place, client, head, nowMs)
  }

  #isToBeKept(place: number, client: IpAddress, head: AnswerHead, nowMs: number): boolean {
    const { kind, located, scopePrefix } = head
    if (kind === 'error') return false
    if (located === undefined) return true
    return scopePrefix <= NETWORK_BITS[client.family] && this.#isAskedAgain(place, networkKey(client), nowMs)
  }

  /**
   * A network that asks once in a while gains nothing by what is kept of it, and of the whole Internet there are more
   * than anything can be kept for: keeping begins with the second question within the time that an answer holds. Another's
   * mark may push a first one out, and one in some hundreds passes for it: an answer is then kept that need not be.
   */
  #isAskedAgain(place: number, network: number, nowMs: number): boolean {
    if (nowMs - this.#markedSinceMs >= PREPARED_STEERED_MS) {
      this.#marks.fill(0)
      this.#markedSinceMs = nowMs
    }
    const hash = hashOf(place, network)
    const at = hash & (PREPARED_MARKS - 1)
    const mark = hash >>> 24 || 1
    if (this.#marks[at] === mark) return true
    this.#marks[at] = mark
    return false
  }

  #keep(place: number, client: IpAddress, prepared: PreparedAnswer): void {
    const slot = (this.#slots[place] ??= { everybody: undefined, networks: new Map() })
    if (prepared.answer.located === undefined) {
      slot.everybody = prepared
      return
    }
    const key = networkKey(client)
    if (!slot.networks.has(key)) this.#networks += 1
    slot.networks.set(key, prepared)
    if (this.#networks <= PREPARED_ANSWERS_MAX) return
    for (const one of this.#slots) one?.networks.clear()
    this.#networks = 0
  }
}

/** For a table of PREPARED_MARKS. */
function hashOf(place: number, network: number): number {
  const high = Math.imul(place, 0x9e3779b1) ^ Math.floor(network / 2 ** 32)
  const mixed = Math.imul(high ^ (network | 0), 0x85ebca6b)
  return (mixed ^ (mixed >>> 15)) | 0
}

/** Undefined for a type that is not kept. */
function placeOf(nameIndex: number, { type, dnssecOk }: Question): number | undefined {
  const place = PLACES[type] ?? NO_PLACE
  return place === NO_PLACE ? undefined : (nameIndex * KEPT_TYPES.length + place) * 2 + (dnssecOk ? 1 : 0)
}

/** Of the networks of NETWORK_BITS, those of IPv6 behind those of IPv4. */
function networkKey({ family, a, b, d }: IpAddress): number {
  return family === 4 ? d >>> 8 : 2 ** 24 + a * 2 ** 16 + (b >>> 16)
}

/**
 * The records that were asked for, another of them in front each time; each order is encoded when it comes first. From
 * one answer to the next too: a resolver that keeps one for its lifetime comes back when a new one is made.
 */
function takenInTurns(question: Question, answer: DnsAnswer, first: number): () => PreparedSections {
  const orders: PreparedSections[] = []
  const count = ordersOf(question, answer)
  let taken = first
  return () => {
    const turn = taken % count
    taken += 1
    return (orders[turn] ??= prepareSections(question.name, turned(question, answer, turn)))
  }
}

/** The same where it is asked for once. */
function takenOnce(question: Question, answer: DnsAnswer, turn: number): PreparedSections {
  return encodeSections(question.name, turned(question, answer, turn % ordersOf(question, answer)))
}

function ordersOf({ type }: Question, { answer }: DnsAnswer): number {
  const asked = answer.reduce((count, record) => count + (record.type === type ? 1 : 0), 0)
  return Math.max(1, Math.min(asked, PREPARED_ORDERS_MAX))
}

function turned({ type }: Question, { answer, authority, additional }: DnsAnswer, turn: number): Sections {
  if (turn === 0) return { answer, authority, additional }
  const asked = answer.filter((record) => record.type === type)
  let next = turn
  const inTurn = answer.map((record) =>
    record.type === type ? (asked[next++ % asked.length] ?? record) : record,
  )
  return { answer: inTurn, authority, additional }
}
