// Answers over DNS as records with their reasons, for `edgeward explain --dns`: decided by the code and from the state
// of the DNS server, past what it has prepared and past its rate limit, and without a trace in either.
import { formatIp, formatNetwork, networkOf } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import type {
  DnsAnswerRecord,
  DnsChoiceRecord,
  DnsDecision,
  DnsRecordText,
} from '../../src/wire/dns-decision.ts'
import { answerTo } from '../dns/answer/answer.ts'
import type { Answering, DnsAnswer, Question } from '../dns/answer/answer.ts'
import { answeringNow } from '../dns/answer/answering.ts'
import type { AnsweringDeps } from '../dns/answer/answering.ts'
import { chooseEdges } from '../dns/answer/choose-edges.ts'
import type { EdgeChoice } from '../dns/answer/choose-edges.ts'
import { refusalOf } from '../dns/answer/refusal.ts'
import { CLASS, TYPE, rcodeName, typeName } from '../dns/message/codes.ts'
import { formatName } from '../dns/message/names.ts'
import type { WireName } from '../dns/message/names.ts'
import { formatData } from '../dns/message/presentation.ts'
import type { DnsRecord } from '../dns/message/records.ts'
import { findName } from '../dns/zone/zone.ts'
import type { Found } from '../dns/zone/zone.ts'
import type { Family } from '../health/reachability.ts'
import { holdRecordsOf, locationRecordOf } from './circumstances.ts'
import type { DnsInquiry } from './dns-inquiry.ts'
import { passedOverSites, weighedSites } from './site-records.ts'

export interface DnsExplainingDeps extends AnsweringDeps {
  readonly usesClientSubnet: boolean
}

export function dnsExplainer(deps: DnsExplainingDeps): (inquiry: DnsInquiry) => DnsDecision {
  return ({ name, types, client }) => {
    const nowMs = deps.clock.monotonic()
    const state = answeringNow(deps, nowMs)
    const { usesClientSubnet } = deps
    return {
      time: new Date(state.atMs).toISOString(),
      name: formatName(name),
      client: formatIp(client),
      clientSubnet: usesClientSubnet,
      answers: types.map((type) =>
        answerRecord({ name, type, dnssecOk: false }, client, state, usesClientSubnet),
      ),
      holds: holdRecordsOf(state.snapshot, nowMs),
    }
  }
}

function answerRecord(
  question: Question,
  client: IpAddress,
  state: Answering,
  usesClientSubnet: boolean,
): DnsAnswerRecord {
  const { type } = question
  const answer = refusalOf({ class: CLASS.IN, type }) ?? answerTo(question, client, state)
  const { rcode, outcome, source, property, scopePrefix, extendedError } = answer
  const choices = choicesOf(question, answer, client, state)
  const location = choices[0]?.location
  const isByAddress = location !== undefined && usesClientSubnet
  return {
    type: typeName(type),
    rcode: rcodeName(rcode),
    outcome,
    source,
    ...placeOf(findName(state.zones, endOf(question, answer))),
    property: property?.id ?? null,
    location: location === undefined ? null : locationRecordOf(location, client, state.snapshot),
    scope: isByAddress ? formatNetwork(networkOf(client, scopePrefix)) : null,
    choices: choices.map((choice) => choiceRecord(choice, state.addresses)),
    answer: answer.answer.map(recordText),
    authority: answer.authority.map(recordText),
    additional: answer.additional.map(recordText),
    extendedError: extendedError ?? null,
  }
}

/** Where the CNAMEs of an answer lead; the question's own name where there are none, or where one is what it asks for. */
function endOf({ name, type }: Question, { answer }: DnsAnswer): WireName {
  if (type === TYPE.CNAME) return name
  const last = answer.findLast((record) => record.type === TYPE.CNAME)
  return last === undefined ? name : Buffer.from(last.data).toString('latin1')
}

function placeOf(found: Found): Pick<DnsAnswerRecord, 'found' | 'zone' | 'signed'> {
  if (found.outcome === 'not-ours') return { found: null, zone: null, signed: false }
  const zone = found.outcome === 'no-such-name' ? found.zone : found.at.zone
  return {
    found: found.outcome === 'no-such-name' ? null : formatName(found.at.name),
    zone: formatName(zone.name),
    signed: zone.signer !== null,
  }
}

/** Made once more: from the same state they come out the same, and replies keep nothing of them. */
function choicesOf(
  { type }: Question,
  { property, located }: DnsAnswer,
  client: IpAddress,
  state: Answering,
): EdgeChoice[] {
  if (property === null || located === undefined) return []
  const families: readonly Family[] = type === TYPE.HTTPS ? [4, 6] : [type === TYPE.A ? 4 : 6]
  const { addresses } = state
  return families.map((family) => chooseEdges({ property, client, family, addresses }, state))
}

function choiceRecord(made: EdgeChoice, addressesMax: number): DnsChoiceRecord {
  const { family } = made
  const type = family === 4 ? TYPE.A : TYPE.AAAA
  let left = addressesMax
  return {
    family,
    sites: [...weighedSites(made, Infinity), ...passedOverSites(made)],
    edges: made.edges.map((edge) => {
      const addresses = edge.addressData[family].slice(0, left).map((data) => formatData(type, data))
      left -= addresses.length
      return { edge: edge.id, site: edge.siteId, addresses }
    }),
  }
}

function recordText({ owner, type, ttlSeconds, data }: DnsRecord): DnsRecordText {
  return { owner: formatName(owner), ttlSeconds, type: typeName(type), data: formatData(type, data) }
}
