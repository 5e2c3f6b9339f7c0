// The answer that nearly every query for a steered name gets: addresses of edges that are told at once, unsigned. It is
// the answer that `answerTo` gives, or none; no record is made of it, for it is encoded for one reply.
import type { IpAddress } from '../../../src/net/ip.ts'
import type { LocatedNetworks } from '../../locate/located-networks.ts'
import { RCODE, TYPE } from '../message/codes.ts'
import { encodeAddresses } from '../message/records.ts'
import type { PreparedSections } from '../message/records.ts'
import type { ZoneName } from '../zone/zone.ts'
import type { AnswerHead, Question } from './answer.ts'
import type { AnsweringDeps } from './answering.ts'
import { findAddresses } from './choose-edges.ts'

export interface PlainAnswer {
  readonly head: AnswerHead
  /** In their order, one behind the other; until the next answer is found. */
  readonly addresses: Uint8Array
  /** How many octets of that they have. */
  readonly octets: number
}

/** As many addresses as an answer has at most; of this or that family. */
interface Room {
  readonly 4: Uint8Array
  readonly 6: Uint8Array
}

let room: Room = roomFor(1)

function roomFor(addresses: number): Room {
  return { 4: new Uint8Array(4 * addresses), 6: new Uint8Array(16 * addresses) }
}

/** To a name that is there. undefined: for `answerTo`. */
export function plainAnswer(
  { type, dnssecOk }: Question,
  { property, zone, sets, isOfSchedulers, glue, name }: ZoneName,
  client: IpAddress,
  deps: AnsweringDeps,
  networks: LocatedNetworks,
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
  if (room[4].length !== 4 * addressesMax) room = roomFor(addressesMax)
  const addresses = room[family]
  const found = findAddresses(
    { property, client, family, addresses: addressesMax },
    { snapshot: snapshots.current, demand, nowMs },
    networks,
    addresses,
  )
  if (found === undefined || found.octets === 0) return undefined
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
  return { head, addresses, octets: found.octets }
}

/** Another of them in front each turn. To be written before others are encoded. */
export function encodePlain(
  { addresses, octets }: PlainAnswer,
  { type }: Question,
  { steeredTtlSeconds }: AnsweringDeps,
  turn: number,
): PreparedSections {
  return encodeAddresses(type, steeredTtlSeconds, addresses, octets, turn)
}
