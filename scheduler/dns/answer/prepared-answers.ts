// Answers that are made already, by question and by the client's network: encoded, and turned by one record for each
// reply. A steered one is used again for half a second at most, so that it never outlives a change of health by more;
// one to everybody from static records as long as its signatures.
import type { IpAddress } from '../../../src/net/ip.ts'
import { PREPARED_ANSWERS_MAX, PREPARED_STATIC_MS, PREPARED_STEERED_MS } from '../limits.ts'
import { TYPE } from '../message/codes.ts'
import { prepareSections } from '../message/records.ts'
import type { PreparedSections } from '../message/records.ts'
import type { DnsAnswer, Question } from './answer.ts'

export interface PreparedAnswer {
  readonly answer: DnsAnswer
  readonly madeAtMs: number
  readonly holdsMs: number
  /** The same records in another order each. */
  readonly turns: readonly PreparedSections[]
  /** Replies made of it. */
  used: number
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
const PLACE_OF_TYPE: ReadonlyMap<number, number> = new Map(KEPT_TYPES.map((type, i) => [type, i]))

/** What networks an answer by location is kept for: longer scopes are too many to be met again in time. */
const NETWORK_BITS = { 4: 24, 6: 48 } as const

export class PreparedAnswers {
  readonly #slots: (Slot | undefined)[] = []
  #networks = 0

  /** `nameIndex`: of the name, which is there. */
  find(nameIndex: number, question: Question, client: IpAddress, nowMs: number): PreparedAnswer | undefined {
    const slot = this.#slots[placeOf(nameIndex, question)]
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
    const holdsMs = answer.source === 'static' ? PREPARED_STATIC_MS : PREPARED_STEERED_MS
    const prepared = { answer, madeAtMs: nowMs, holdsMs, turns: turnsOf(question, answer), used: 0 }
    if (nameIndex !== undefined && PLACE_OF_TYPE.has(question.type) && answer.kind !== 'error') {
      this.#keep(placeOf(nameIndex, question), client, prepared)
    }
    return prepared
  }

  #keep(place: number, client: IpAddress, prepared: PreparedAnswer): void {
    const { located, scopePrefix } = prepared.answer
    if (located !== undefined && scopePrefix > NETWORK_BITS[client.family]) return
    const slot = (this.#slots[place] ??= { everybody: undefined, networks: new Map() })
    if (located === undefined) {
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

function placeOf(nameIndex: number, { type, dnssecOk }: Question): number {
  return (nameIndex * KEPT_TYPES.length + (PLACE_OF_TYPE.get(type) ?? 0)) * 2 + (dnssecOk ? 1 : 0)
}

/** Of the networks of NETWORK_BITS, those of IPv6 behind those of IPv4. */
function networkKey({ family, a, b, d }: IpAddress): number {
  return family === 4 ? d >>> 8 : 2 ** 24 + a * 2 ** 16 + (b >>> 16)
}

/** The records that were asked for, each once in front; one order alone where they are few or in need of none. */
function turnsOf(question: Question, { answer, authority, additional }: DnsAnswer): PreparedSections[] {
  const asked = answer.filter(({ type }) => type === question.type)
  if (asked.length < 2) return [prepareSections(question.name, { answer, authority, additional })]
  const first = answer.findIndex(({ type }) => type === question.type)
  const before = answer.slice(0, first)
  const behind = answer.slice(first).filter(({ type }) => type !== question.type)
  return asked.map((_, turn) => {
    const turned = [...asked.slice(turn), ...asked.slice(0, turn)]
    return prepareSections(question.name, {
      answer: [...before, ...turned, ...behind],
      authority,
      additional,
    })
  })
}
