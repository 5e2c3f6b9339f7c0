// The answer that nearly every query for a steered name gets: addresses of edges that are told at once, unsigned. It is
// the answer that `answerTo` gives, or none; no record is made of it, for it is encoded for one reply.
import type { IpAddress } from '../../../src/net/ip.ts'
import { RCODE, TYPE } from '../message/codes.ts'
import { encodeAddresses } from '../message/records.ts'
import type { PreparedSections } from '../message/records.ts'
import type { ZoneName } from '../zone/zone.ts'
import type { AnswerHead, Question } from './answer.ts'
import type { AnsweringDeps } from './answering.ts'
import { findEdgesAtOnce } from './choose-edges.ts'

export interface PlainAnswer {
  readonly head: AnswerHead
  /** In their order. */
  readonly addresses: readonly Uint8Array[]
}

/** To a name that is there. undefined: for `answerTo`. */
export function plainAnswer(
  { type, dnssecOk }: Question,
  { property, zone, sets, isOfSchedulers, glue, name }: ZoneName,
  client: IpAddress,
  deps: AnsweringDeps,
  nowMs: number,
): PlainAnswer | undefined {
  if (type !== TYPE.A && type !== TYPE.AAAA) return undefined
  if (property === null || isOfSchedulers || glue !== null || (dnssecOk && zone.signer !== null)) {
    return undefined
  }
  if (sets.size > 0 && (sets.has(type) || sets.has(TYPE.CNAME))) return undefined
  if (!deps.isReady()) return undefined
  const family = type === TYPE.A ? 4 : 6
  const { snapshots, demand, addresses: addressesMax } = deps
  const found = findEdgesAtOnce(
    { property, client, family, addresses: addressesMax },
    { snapshot: snapshots.current, demand, nowMs },
  )
  if (found === undefined) return undefined
  const addresses: Uint8Array[] = []
  for (const edge of found.edges) {
    for (const data of edge.addressData[family]) if (addresses.length < addressesMax) addresses.push(data)
  }
  if (addresses.length === 0) return undefined
  const head: AnswerHead = {
    rcode: RCODE.NOERROR,
    isAuthoritative: true,
    source: 'steered',
    located: found.located,
    scopePrefix: found.scopePrefix,
    extendedError: undefined,
    kind: 'answer',
    countedAs: name,
  }
  return { head, addresses }
}

/** Another of them in front each turn. To be written before others are encoded. */
export function encodePlain(
  { addresses }: PlainAnswer,
  { type }: Question,
  { steeredTtlSeconds }: AnsweringDeps,
  turn: number,
): PreparedSections {
  return encodeAddresses(type, steeredTtlSeconds, addresses, turn % addresses.length)
}
