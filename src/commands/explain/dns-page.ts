// An answer over DNS for people: what the name is here, where the client is and how that is known, the sites and edges
// that were weighed, and the records, each address with its edge. One part for each type that was asked for.
import type { EdgeRecord } from '../../wire/decision.ts'
import type { DnsAnswerRecord, DnsChoiceRecord, DnsDecision, DnsRecordText } from '../../wire/dns-decision.ts'
import { tableLines } from '../operator/table.ts'
import { candidateLines, holdLines, locatedLine } from './candidate-lines.ts'
import { paintOn } from './screen.ts'
import type { Paint, Screen } from './screen.ts'

export function dnsPage(decision: DnsDecision, all: boolean, screen: Screen): string {
  const paint = paintOn(screen)
  const { name, client, clientSubnet, time, answers, holds } = decision
  const known = [...factLines(answers[0], name), ...holdLines(holds, paint)]
  const whose = clientSubnet ? '' : ', as a resolver: EDNS Client Subnet is off'
  return [
    paint('bold', name),
    paint('dim', `from ${client}${whose}, at ${time}`),
    ...(known.length === 0 ? [] : ['', ...known]),
    ...answers.flatMap((answer) => answerLines(answer, all, paint)),
    '',
  ].join('\n')
}

function answerLines(answer: DnsAnswerRecord, all: boolean, paint: Paint): string[] {
  const { type, choices } = answer
  return [
    '',
    paint('bold', type),
    ...choices.flatMap((choice) => choiceLines(choice, type, all, paint)),
    conclusion(answer, paint),
    ...recordLines(answer, paint),
  ]
}

/** It gets the records that it asks for, or is told who has them. */
export function isAnswered({ outcome }: DnsAnswerRecord): boolean {
  return outcome === 'records' || outcome === 'alias' || outcome === 'delegated'
}

/** Of the name and the client, whatever type is asked for. */
function factLines(answer: DnsAnswerRecord | undefined, name: string): string[] {
  if (answer === undefined) return []
  const { zone, signed, found, property, location, scope } = answer
  return [
    ...(zone === null ? [] : [`zone      ${zone}${signed ? ', signed' : ''}`]),
    ...(found === null || found === name ? [] : [`found as  ${found}`]),
    ...(property === null ? [] : [`property  ${property}`]),
    ...(location === null ? [] : [locatedLine(location)]),
    ...(scope === null ? [] : [`scope     ${scope}: all of it is answered the same`]),
  ]
}

function choiceLines(
  { family, sites, edges }: DnsChoiceRecord,
  type: string,
  all: boolean,
  paint: Paint,
): string[] {
  const chosen = new Set(edges.map(({ edge }) => edge))
  const words = (edge: EdgeRecord) => wordsOf(edge, chosen.has(edge.edge))
  return [
    ...(type === 'HTTPS' ? [`hints of IPv${family}`] : []),
    ...candidateLines({ sites, chosen, words }, all, paint),
    '',
  ]
}

/** A name is asked for, and no asset. */
function wordsOf({ reason }: EdgeRecord, isChosen: boolean): string | undefined {
  if (reason !== 'hash') return undefined
  return isChosen ? 'by the hash of property and scope' : 'behind: the answer has its addresses'
}

function conclusion(answer: DnsAnswerRecord, paint: Paint): string {
  const { rcode, outcome } = answer
  const style = isAnswered(answer) ? 'green' : outcome === 'no-such-data' ? 'yellow' : 'red'
  return paint(['bold', style], `${rcode} ${wordsOfOutcome(answer)}`)
}

function wordsOfOutcome(answer: DnsAnswerRecord): string {
  const { outcome, source, zone, found, choices, extendedError } = answer
  switch (outcome) {
    case 'records':
      return source === 'steered' ? `with ${edgesOf(choices)}` : (WORDS_OF_SOURCE[source] ?? '')
    case 'alias':
      return `with an alias of ${answer.answer.at(-1)?.data ?? ''}, which is followed no further here`
    case 'delegated':
      return `with a referral: others answer for ${found ?? 'it'}`
    case 'no-such-data':
      return `without records: ${whyNoData(answer)}`
    case 'no-such-name':
      return `no such name in ${zone ?? 'the zone'}`
    case 'none-lives':
      return 'no edge with such an address can serve now'
    case 'not-ours':
      return 'a name of none of the zones here'
    case 'not-ready':
    case 'prohibited':
      return extendedError?.text ?? outcome
    default:
      throw new Error(`no words for ${String(outcome satisfies never)}`)
  }
}

const WORDS_OF_SOURCE: Readonly<Partial<Record<DnsAnswerRecord['source'], string>>> = {
  static: 'with its static records',
  schedulers: 'with the schedulers that live',
}

/** `gz-1, gz-2 at guangzhou`; those of both families once. */
function edgesOf(choices: readonly DnsChoiceRecord[]): string {
  const edgesAt = new Map<string, Set<string>>()
  for (const { edge, site } of choices.flatMap(({ edges }) => edges)) {
    edgesAt.set(site, (edgesAt.get(site) ?? new Set()).add(edge))
  }
  return [...edgesAt].map(([site, edges]) => `${[...edges].join(', ')} at ${site}`).join(', ')
}

function whyNoData({ type, source, choices }: DnsAnswerRecord): string {
  if (source === 'schedulers') return 'no scheduler that lives has an address of this family'
  if (source !== 'steered') return `the name has no ${type}`
  return choices.some(({ edges }) => edges.length > 0)
    ? 'its edges do not all speak TLS on one port'
    : 'no edge of the property has an address of this family'
}

function recordLines({ choices, answer, authority, additional }: DnsAnswerRecord, paint: Paint): string[] {
  const edgeOf = new Map(
    choices.flatMap(({ edges }) =>
      edges.flatMap(({ edge, addresses }) => addresses.map((address) => [address, edge] as const)),
    ),
  )
  const rowOf = ({ owner, ttlSeconds, type, data }: DnsRecordText) => {
    const edge = edgeOf.get(data)
    return [owner, String(ttlSeconds), type, data, edge === undefined ? '' : `; ${edge}`]
  }
  const lines = tableLines([...answer, ...authority, ...additional].map(rowOf), RIGHT_OF_RECORDS)
  const authorityAt = answer.length
  const additionalAt = authorityAt + authority.length
  return [
    ...lines.slice(0, authorityAt),
    ...headed('authority', lines.slice(authorityAt, additionalAt), paint),
    ...headed('additional', lines.slice(additionalAt), paint),
  ].map((line) => `  ${line}`)
}

function headed(head: string, lines: readonly string[], paint: Paint): readonly string[] {
  return lines.length === 0 ? lines : [paint('dim', head), ...lines]
}

const RIGHT_OF_RECORDS = new Set([1])
