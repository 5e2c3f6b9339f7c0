// One query and its reply, whatever it came over: reads the packet, refuses what is not for this server, answers from
// what is prepared or from the zones, holds replies over UDP to their limit, and writes. Synchronous; owns no socket.
import type { IpAddress } from '../../src/net/ip.ts'
import { LocatedNetworks } from '../locate/located-networks.ts'
import { answerTo } from './answer/answer.ts'
import type { AnswerHead } from './answer/answer.ts'
import { answeringNow } from './answer/answering.ts'
import type { AnsweringDeps } from './answer/answering.ts'
import { refusalOf } from './answer/refusal.ts'
import { encodePlain, plainAnswer } from './answer/plain-answer.ts'
import { PreparedAnswers } from './answer/prepared-answers.ts'
import { COOKIE_OCTETS, cookieVerdict, writeCookie } from './cookie.ts'
import type { CookieVerdict } from './cookie.ts'
import { MESSAGE_BYTES_MAX } from './limits.ts'
import { RCODE, TYPE } from './message/codes.ts'
import { NO_OPTIONS } from './message/edns.ts'
import type { Edns, ExtendedError, ReplyOptions } from './message/edns.ts'
import { readQuery } from './message/query.ts'
import type { DnsQuery, RefusedQuery } from './message/query.ts'
import type { WireName } from './message/names.ts'
import { NO_SECTIONS } from './message/records.ts'
import type { PreparedSections } from './message/records.ts'
import { udpReplyBytes, writeError, writeReply } from './message/reply.ts'
import type { DnsMetrics, Transport } from './metrics.ts'
import type { AnswerKind, RateLimit } from './rate-limit.ts'
import type { SipKey } from './siphash.ts'
import { findName } from './zone/zone.ts'
import type { Found } from './zone/zone.ts'

export interface ResponderDeps extends AnsweringDeps {
  readonly metrics: DnsMetrics
  /** null: none. */
  readonly rateLimit: RateLimit | null
  readonly cookieSecrets: readonly SipKey[]
  readonly nsid: Uint8Array | undefined
  readonly usesClientSubnet: boolean
}

/** Who answers what comes in; the listeners know no more. */
export type Responding = Pick<DnsResponder, 'respond'>

export class DnsResponder {
  readonly #deps: ResponderDeps
  readonly #prepared = new PreparedAnswers()
  readonly #networks = new LocatedNetworks()
  readonly #cookie = new Uint8Array(COOKIE_OCTETS)

  constructor(deps: ResponderDeps) {
    this.#deps = deps
  }

  /**
   * Writes the reply to the packet's first `length` octets into `out`, and gives its length; 0 where there is none to
   * send. `out` has UDP_REPLY_BYTES_MAX octets for UDP, MESSAGE_BYTES_MAX for TCP.
   */
  respond(
    packet: Uint8Array,
    length: number,
    peer: IpAddress,
    transport: Transport,
    out: Uint8Array,
  ): number {
    const reading = readQuery(packet, length)
    if (reading.outcome === 'drop') {
      this.#deps.metrics.noReply('no-query')
      return 0
    }
    const cookie = this.#verdictOn(packet, reading.edns, peer)
    const isKnown = transport === 'tcp' || cookie === 'good' || cookie === 'renew'
    const received = { packet, peer, transport, out, isKnown }
    if (reading.outcome !== 'query') return this.#refuse(received, reading, rcodeWithout(reading, cookie))
    if ((reading.edns?.version ?? 0) > 0) return this.#refuse(received, reading, RCODE.BADVERS)
    if (reading.type === TYPE.OPT || reading.type === TYPE.NXNAME)
      return this.#refuse(received, reading, RCODE.FORMERR)
    return this.#answer(received, reading)
  }

  #answer(received: Received, query: DnsQuery): number {
    const { zones, clock, rateLimit } = this.#deps
    const nowMs = clock.monotonic()
    const refusal = refusalOf(query)
    if (refusal !== null) return this.#send(received, query, refusal, NO_SECTIONS, nowMs, false)
    const question = { name: query.name, type: query.type, dnssecOk: query.edns?.dnssecOk ?? false }
    const client = this.#clientOf(query, received.peer)
    const at = zones.names.get(query.name)
    const kept = at === undefined ? undefined : this.#prepared.find(at.index, question, client, nowMs)
    if (kept !== undefined) return this.#send(received, query, kept.answer, kept.take(), nowMs, false)
    const plain =
      at === undefined ? undefined : plainAnswer(question, at, client, this.#deps, this.#networks, nowMs)
    // The second time that its network asks it is kept, and made for that.
    if (
      at !== undefined &&
      plain !== undefined &&
      !this.#prepared.keeps(at.index, question, client, plain.head, nowMs)
    ) {
      const sections = encodePlain(plain, question, this.#deps, this.#prepared.nextTurn())
      return this.#send(received, query, plain.head, sections, nowMs, false)
    }
    // A flood of random names is held before each costs a choice of edges or a signature.
    const counted = at === undefined ? countedAs(findName(zones, query.name)) : undefined
    if (counted !== undefined && rateLimit !== null && !received.isKnown) {
      const decision = rateLimit.decide(received.peer, counted.kind, counted.name, nowMs)
      if (decision !== 'send') return this.#limited(received, query, decision)
    }
    const answer = answerTo(question, client, answeringNow(this.#deps, nowMs))
    const prepared = this.#prepared.prepare(at?.index, question, client, answer, nowMs)
    return this.#send(received, query, answer, prepared.take(), nowMs, counted !== undefined)
  }

  /** Whom the answer is for: the network that a resolver asks for, or else the resolver. */
  #clientOf({ edns }: DnsQuery, peer: IpAddress): IpAddress {
    const subnet = this.#deps.usesClientSubnet ? edns?.clientSubnet : undefined
    return subnet === undefined || subnet.sourcePrefix === 0 ? peer : subnet.address
  }

  /** `isCounted`: the limit was asked already. */
  #send(
    received: Received,
    query: DnsQuery,
    answer: AnswerHead,
    sections: PreparedSections,
    nowMs: number,
    isCounted: boolean,
  ): number {
    const { metrics, rateLimit, usesClientSubnet } = this.#deps
    const { packet, peer, transport, out, isKnown } = received
    if (!isKnown && !isCounted && rateLimit !== null) {
      const decision = rateLimit.decide(peer, answer.kind, answer.countedAs, nowMs)
      if (decision !== 'send') return this.#limited(received, query, decision)
    }
    const { rcode, isAuthoritative } = answer
    metrics.answered(transport, query.type, rcode, answer.source, answer.located)
    const scopePrefix = usesClientSubnet ? answer.scopePrefix : 0
    const options = this.#optionsOf(received, query.edns, scopePrefix, answer.extendedError)
    const bytesMax = transport === 'udp' ? udpReplyBytes(query) : MESSAGE_BYTES_MAX
    return writeReply(out, packet, query, { rcode, isAuthoritative, sections, options }, bytesMax)
  }

  #limited({ packet, out }: Received, query: DnsQuery, decision: 'slip' | 'drop'): number {
    this.#deps.metrics.noReply(decision === 'slip' ? 'limited-slip' : 'limited-drop')
    if (decision === 'drop') return 0
    const reply = {
      rcode: RCODE.NOERROR,
      isAuthoritative: true,
      isTruncated: true,
      sections: NO_SECTIONS,
      options: NO_OPTIONS,
    }
    return writeReply(out, packet, query, reply, udpReplyBytes(query))
  }

  /** What has no answer in the zones. Of those over the limit none is truncated: they bring no question back. */
  #refuse(received: Received, asked: DnsQuery | RefusedQuery, rcode: number): number {
    const { metrics, rateLimit, clock } = this.#deps
    const { packet, peer, transport, out, isKnown } = received
    if (!isKnown && rateLimit !== null && rateLimit.decide(peer, 'error', '', clock.monotonic()) !== 'send') {
      metrics.noReply('limited-drop')
      return 0
    }
    metrics.answered(transport, asked.outcome === 'query' ? asked.type : 0, rcode, 'none', undefined)
    return writeError(out, packet, asked, rcode, this.#optionsOf(received, asked.edns, 0, undefined))
  }

  #verdictOn(packet: Uint8Array, edns: Edns | undefined, peer: IpAddress): CookieVerdict {
    if (edns?.cookie === undefined) return 'none'
    const { cookieSecrets, clock } = this.#deps
    return cookieVerdict(packet, edns.cookie, peer, cookieSecrets, clock.now())
  }

  #optionsOf(
    { packet, peer }: Received,
    edns: Edns | undefined,
    scopePrefix: number,
    extendedError: ExtendedError | undefined,
  ): ReplyOptions {
    if (edns === undefined) return NO_OPTIONS
    const { cookieSecrets, clock, nsid } = this.#deps
    if (edns.cookie === undefined) return { scopePrefix, nsid, extendedError }
    writeCookie(this.#cookie, packet, edns.cookie, peer, cookieSecrets, clock.now())
    return { scopePrefix, nsid, extendedError, cookie: this.#cookie }
  }
}

interface Received {
  readonly packet: Uint8Array
  readonly peer: IpAddress
  readonly transport: Transport
  readonly out: Uint8Array
  /** It hears what is sent to its address: it may be sent more. */
  readonly isKnown: boolean
}

/** Of what asks no question; for a cookie whether the one that came with it is good (RFC 7873 §5.4). */
function rcodeWithout({ outcome }: RefusedQuery, cookie: CookieVerdict): number {
  if (outcome === 'formerr') return RCODE.FORMERR
  if (outcome === 'notimp') return RCODE.NOTIMP
  return cookie === 'bad' ? RCODE.BADCOOKIE : RCODE.NOERROR
}

/** What the reply for a name that is not there itself counts as. */
function countedAs(found: Found): { readonly kind: AnswerKind; readonly name: WireName } {
  if (found.outcome === 'no-such-name') return { kind: 'negative', name: found.zone.name }
  if (found.outcome === 'not-ours') return { kind: 'error', name: '' }
  return { kind: 'answer', name: found.at.name }
}
