// What is answered to a question: found in the zones, followed along CNAMEs, steered where the name is of a property.
// Pure, from the zones and the snapshot alone; how it is written, limited and kept is for others.
import { ipBytes } from '../../../src/net/ip.ts'
import type { IpAddress } from '../../../src/net/ip.ts'
import type { LocationSource } from '../../locate/locate.ts'
import type { PropertyView } from '../../topology.ts'
import { denialRcode } from '../dnssec/denial.ts'
import type { Denied } from '../dnssec/denial.ts'
import { CNAME_HOPS_MAX } from '../limits.ts'
import { EXTENDED_ERROR, RCODE, TYPE } from '../message/codes.ts'
import type { ExtendedError } from '../message/edns.ts'
import type { WireName } from '../message/names.ts'
import type { DnsRecord } from '../message/records.ts'
import type { AnswerKind } from '../rate-limit.ts'
import { ANY_DATA } from '../zone/record-data.ts'
import { addressesIn, findName } from '../zone/zone.ts'
import type { Zone, ZoneName, ZoneNames } from '../zone/zone.ts'
import type { SteeringState } from './choose-edges.ts'
import { steeredRecords } from './steered-records.ts'

/** What an answer comes from: the words of the metrics. */
export const ANSWER_SOURCES = ['static', 'steered', 'schedulers', 'delegation', 'none'] as const
export type AnswerSource = (typeof ANSWER_SOURCES)[number]

/**
 * What an answer says. alias: the name is one for another that is followed no further here. prohibited: nobody is
 * answered that.
 */
export type AnswerOutcome =
  | 'records'
  | 'alias'
  | 'delegated'
  | 'no-such-data'
  | 'no-such-name'
  | 'none-lives'
  | 'not-ready'
  | 'not-ours'
  | 'prohibited'

export interface Question {
  readonly name: WireName
  readonly type: number
  /** Where the zone is signed, with signatures. */
  readonly dnssecOk: boolean
}

export interface Answering extends SteeringState {
  readonly zones: ZoneNames
  /** Reports are in: edges may be answered. */
  readonly isReady: boolean
  readonly unready: 'servfail' | 'refused'
  /** In an answer, at most. */
  readonly addresses: number
  readonly steeredTtlSeconds: number
  /** Of the schedulers that live. */
  readonly schedulers: readonly IpAddress[]
  /** Since the epoch, for signatures. */
  readonly atMs: number
}

/** Of an answer what is not in its records. */
export interface AnswerHead {
  readonly rcode: number
  readonly isAuthoritative: boolean
  readonly source: AnswerSource
  /** How the client was located, where that mattered. */
  readonly located: LocationSource | undefined
  /** Bits of the client's address that it depended on; 0 for an answer to everyone. */
  readonly scopePrefix: number
  readonly extendedError: ExtendedError | undefined
  /** What it counts as where replies are limited. */
  readonly kind: AnswerKind
  readonly countedAs: WireName
}

export interface DnsAnswer extends AnswerHead {
  readonly outcome: AnswerOutcome
  readonly answer: readonly DnsRecord[]
  readonly authority: readonly DnsRecord[]
  readonly additional: readonly DnsRecord[]
  readonly property: PropertyView | null
}

const NOTHING: DnsAnswer = {
  outcome: 'records',
  rcode: RCODE.NOERROR,
  isAuthoritative: true,
  answer: [],
  authority: [],
  additional: [],
  source: 'static',
  property: null,
  located: undefined,
  scopePrefix: 0,
  extendedError: undefined,
  kind: 'answer',
  countedAs: '',
}

/** What of an answer is known before its records are written. */
type AnswerFacts = Pick<DnsAnswer, 'source' | 'property' | 'located' | 'scopePrefix' | 'countedAs'>

/** A refusal or failure: no record is in it. */
export function failure(outcome: AnswerOutcome, rcode: number, code: number, text: string): DnsAnswer {
  const extendedError = { code, text }
  return { ...NOTHING, outcome, rcode, isAuthoritative: false, source: 'none', extendedError, kind: 'error' }
}

export function answerTo(question: Question, client: IpAddress, state: Answering): DnsAnswer {
  const followed: DnsRecord[] = []
  const aliases: WireName[] = []
  let { name } = question
  let countedAs = name
  for (;;) {
    const found = findName(state.zones, name)
    if (found.outcome === 'not-ours' || found.outcome === 'delegated') {
      // An end outside of the zones is for the resolver to follow.
      if (followed.length > 0) return followedTo(countedAs, followed)
      return found.outcome === 'delegated' ? referral(question, found.at, state) : notOurs()
    }
    if (found.outcome === 'no-such-name') {
      const end = { zone: found.zone, name, denied: 'no-such-name' as const }
      return negative(question, end, followed, state)
    }
    const { at } = found
    const alias = at.sets.get(TYPE.CNAME)?.[0]
    if (alias === undefined || question.type === TYPE.CNAME || question.type === TYPE.ANY) {
      return answerAt(question, at, name, client, followed, state)
    }
    // Names of a wildcard count together, or else random ones would each have a rate of their own.
    if (aliases.length === 0) countedAs = at.name
    followed.push(...signed([{ ...alias, owner: name }], at.zone, question, state))
    aliases.push(name)
    name = Buffer.from(alias.data).toString('latin1')
    // A circle too is for the resolver to see.
    if (aliases.length > CNAME_HOPS_MAX || aliases.includes(name)) return followedTo(countedAs, followed)
  }
}

function answerAt(
  question: Question,
  at: ZoneName,
  name: WireName,
  client: IpAddress,
  followed: readonly DnsRecord[],
  state: Answering,
): DnsAnswer {
  const { type } = question
  const counted = { countedAs: at.name }
  // Facts one by one: spreading them too is slow, and many an answer is made for a single query.
  const give = (
    records: readonly DnsRecord[],
    { source, property, located, scopePrefix, countedAs }: AnswerFacts = { ...NOTHING, ...counted },
  ): DnsAnswer => {
    const own = signed(records, at.zone, question, state)
    const answer = followed.length === 0 ? own : [...followed, ...own]
    return { ...NOTHING, answer, source, property, located, scopePrefix, countedAs }
  }
  const own = at.sets.get(type)
  if (own !== undefined) {
    const answer = give(own.map((record) => ({ ...record, owner: name })))
    return { ...answer, additional: addressesOf(own, state) }
  }
  // RFC 8482 §4.2: a small answer in place of everything.
  const lifetime = at.zone.soa.ttlSeconds
  if (type === TYPE.ANY)
    return give([{ owner: name, type: TYPE.HINFO, ttlSeconds: lifetime, data: ANY_DATA }])
  if (at.isOfSchedulers && (type === TYPE.A || type === TYPE.AAAA)) {
    const records = schedulerRecords(name, type, state)
    if (records.length > 0) return give(records, { ...NOTHING, ...counted, source: 'schedulers' })
    const end = { zone: at.zone, name, denied: typesAt(at).filter((one) => one !== type) }
    return { ...negative(question, end, followed, state), source: 'schedulers' }
  }
  const { property } = at
  if (property === null || !STEERED_TYPES.has(type)) {
    return negative(question, { zone: at.zone, name, denied: typesAt(at) }, followed, state)
  }
  if (!state.isReady) return notReady(property, state)
  const steered = steeredRecords(property, name, type, client, state)
  const { located, scopePrefix } = steered
  const facts: AnswerFacts = { source: 'steered', property, located, scopePrefix, countedAs: at.name }
  if (steered.outcome === 'none-lives') {
    const code = EXTENDED_ERROR.NO_REACHABLE_AUTHORITY
    return { ...failure('none-lives', RCODE.SERVFAIL, code, 'no edge can serve this now'), ...facts }
  }
  if (steered.outcome === 'records') return give(steered.records, facts)
  // For this client now; another has the type.
  const denied = typesAt(at).filter((one) => one !== type)
  return { ...negative(question, { zone: at.zone, name, denied }, followed, state), ...facts }
}

const STEERED_TYPES: ReadonlySet<number> = new Set([TYPE.A, TYPE.AAAA, TYPE.HTTPS])

/** That some client may be answered. */
function typesAt({ sets, property, isOfSchedulers }: ZoneName): number[] {
  const types = new Set(sets.keys())
  if (property !== null) for (const type of STEERED_TYPES) types.add(type)
  if (isOfSchedulers) types.add(TYPE.A).add(TYPE.AAAA)
  return [...types]
}

function schedulerRecords(owner: WireName, type: number, state: Answering): DnsRecord[] {
  const family = type === TYPE.A ? 4 : 6
  return state.schedulers
    .filter((address) => address.family === family)
    .map((address) => ({ owner, type, ttlSeconds: state.steeredTtlSeconds, data: ipBytes(address) }))
}

/** Where the name servers of NS records are, as far as these zones know. */
function addressesOf(records: readonly DnsRecord[], { zones }: Answering): DnsRecord[] {
  return records.flatMap(({ type, data }) => {
    const sets = type === TYPE.NS ? zones.names.get(Buffer.from(data).toString('latin1'))?.sets : undefined
    return sets === undefined ? [] : addressesIn(sets)
  })
}

function signed(
  records: readonly DnsRecord[],
  { signer }: Zone,
  { dnssecOk }: Question,
  { atMs }: Answering,
): readonly DnsRecord[] {
  return signer === null || !dnssecOk ? records : [...records, ...signer.sign(records, atMs)]
}

interface NegativeEnd {
  readonly zone: Zone
  readonly name: WireName
  readonly denied: Denied
}

/** NXDOMAIN and NODATA, each with the SOA that says for how long (RFC 2308). */
function negative(
  question: Question,
  { zone, name, denied }: NegativeEnd,
  followed: readonly DnsRecord[],
  state: Answering,
): DnsAnswer {
  const { negativeSoa, signer } = zone
  const isSigned = signer !== null && question.dnssecOk
  const isMissing = denied === 'no-such-name'
  return {
    ...NOTHING,
    outcome: isMissing ? 'no-such-name' : 'no-such-data',
    rcode: isSigned
      ? denialRcode(denied, { dnssecOk: true, compactOk: false })
      : isMissing
        ? RCODE.NXDOMAIN
        : RCODE.NOERROR,
    answer: followed,
    authority: [
      ...signed([negativeSoa], zone, question, state),
      ...(isSigned ? signer.denial(name, denied, negativeSoa.ttlSeconds, state.atMs) : []),
    ],
    kind: 'negative',
    countedAs: zone.name,
  }
}

/** To the name servers below (RFC 1034 §4.3.2); of the cut itself DS is asked here (RFC 4035 §3.1.4.1). */
function referral(question: Question, at: ZoneName, state: Answering): DnsAnswer {
  const { zone, name, sets, glue } = at
  if (question.type === TYPE.DS && question.name === name) {
    return negative(question, { zone, name, denied: [TYPE.NS] }, [], state)
  }
  const { signer, negativeSoa } = zone
  const isSigned = signer !== null && question.dnssecOk
  const proof = isSigned ? signer.denial(name, [TYPE.NS], negativeSoa.ttlSeconds, state.atMs) : []
  return {
    ...NOTHING,
    outcome: 'delegated',
    isAuthoritative: false,
    authority: [...(sets.get(TYPE.NS) ?? []), ...proof],
    additional: glue ?? [],
    source: 'delegation',
    countedAs: name,
  }
}

function followedTo(countedAs: WireName, followed: readonly DnsRecord[]): DnsAnswer {
  return { ...NOTHING, outcome: 'alias', answer: followed, countedAs }
}

function notOurs(): DnsAnswer {
  return failure('not-ours', RCODE.REFUSED, EXTENDED_ERROR.NOT_AUTHORITATIVE, 'not a name of this server')
}

function notReady(property: PropertyView, { unready }: Answering): DnsAnswer {
  const rcode = unready === 'refused' ? RCODE.REFUSED : RCODE.SERVFAIL
  return {
    ...failure('not-ready', rcode, EXTENDED_ERROR.NOT_READY, 'no edge has reported yet'),
    source: 'steered',
    property,
  }
}
