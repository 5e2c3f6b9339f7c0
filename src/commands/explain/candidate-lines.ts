// What pages of decisions over HTTP and DNS have in common: where the client is and how that is known, what each site
// would cost it, and how the edges of the sites that matter stand.
import type { DecisionLocation, EdgeRecord, HoldRecord, SiteRecord } from '../../wire/decision.ts'
import { tableLines } from '../operator/table.ts'
import type { Paint } from './screen.ts'

/** Sites behind the weighed ones that a page shows without `--all`. */
const FARTHER_SHOWN = 3

export function locatedLine({ source, network, asn, country, position, sites }: DecisionLocation): string {
  const known = [
    ...(network === null ? [] : [`coverage network ${network}`]),
    ...(asn === null ? [] : [`AS${asn}`]),
    ...(country === null ? [] : [country]),
    ...(position === null ? [] : [`${position.lat}, ${position.lon}`]),
  ]
  const what = known.length === 0 ? 'nothing known of the address' : known.join(', ')
  return `located   ${sites.join(', ')}: ${SOURCES[source]} (${what})`
}

const SOURCES: Record<DecisionLocation['source'], string> = {
  coverage: 'its network is covered',
  asn: 'its network number is covered',
  'geoip-country': 'its country is covered',
  'geoip-position': 'nearest to its position',
  default: 'the default site',
}

export function holdLines(holds: readonly HoldRecord[], paint: Paint): string[] {
  return holds.map(({ evidence, edges, forMs }) => {
    const seconds = Math.round(forMs / 1000)
    return paint(
      'yellow',
      `held      ${evidence} against ${edges} edges at once, for ${seconds} s: not believed`,
    )
  })
}

export interface Candidates {
  readonly sites: readonly SiteRecord[]
  /** Ids of edges. */
  readonly chosen: ReadonlySet<string>
  /** Why an edge stands where it does, where REASONS says it otherwise or not. */
  readonly words?: (edge: EdgeRecord) => string | undefined
}

/** Two tables; nothing where no site was looked at. */
export function candidateLines(
  { sites, chosen, words = () => undefined }: Candidates,
  all: boolean,
  paint: Paint,
): string[] {
  const shown = all ? sites : nearSites(sites)
  const left = sites.length - shown.length
  if (shown.length === 0) return []
  return [
    ...siteLines(shown, paint),
    '',
    ...edgeLines(shown, chosen, words, paint),
    ...(left === 0 ? [] : [paint('dim', `and ${left} sites more, all farther away (--all)`)]),
  ]
}

function nearSites(sites: readonly SiteRecord[]): readonly SiteRecord[] {
  let farther = 0
  return sites.filter(({ verdict }) => verdict !== 'farther' || ++farther <= FARTHER_SHOWN)
}

function siteLines(sites: readonly SiteRecord[], paint: Paint): string[] {
  const rows = sites.map(({ site, role, distanceMs, utilisation, congestionMs, costMs, verdict }) => [
    site,
    role,
    milliseconds(distanceMs),
    percent(utilisation),
    milliseconds(congestionMs),
    costMs === null ? '-' : milliseconds(costMs),
    VERDICTS[verdict],
  ])
  const heads = ['SITE', 'ROLE', 'DISTANCE', 'LOAD', 'CONGESTION', 'COST', '']
  const lines = tableLines([heads, ...rows], RIGHT_OF_SITES)
  return lines.map((line, i) => marked(line, i === 0 ? undefined : sites[i - 1]?.verdict === 'chosen', paint))
}

const RIGHT_OF_SITES = new Set([2, 3, 4, 5])
const RIGHT_OF_EDGES = new Set([3, 4])

const VERDICTS: Record<SiteRecord['verdict'], string> = {
  chosen: 'chosen',
  costlier: 'costs more',
  'last-resort': 'only as a last resort',
  'no-fit-edge': 'no edge that may serve',
  farther: 'farther than the chosen one costs',
  'not-for-property': 'not a site of this property',
}

function edgeLines(
  sites: readonly SiteRecord[],
  chosen: Candidates['chosen'],
  words: NonNullable<Candidates['words']>,
  paint: Paint,
): string[] {
  const edges = sites
    .filter(({ verdict }) => verdict !== 'farther' && verdict !== 'not-for-property')
    .flatMap(({ site, edges: held }) => held.map((edge) => ({ site, edge })))
  const rows = edges.map(({ site, edge }) => [
    edge.edge,
    site,
    edge.state,
    percent(edge.utilisation),
    edge.ramp === 1 ? '' : percent(edge.ramp),
    words(edge) ?? REASONS[edge.reason] ?? edge.reason,
  ])
  const lines = tableLines([['EDGE', 'SITE', 'STATE', 'LOAD', 'RAMP', ''], ...rows], RIGHT_OF_EDGES)
  return lines.map((line, i) =>
    marked(line, i === 0 ? undefined : chosen.has(edges[i - 1]?.edge.edge ?? ''), paint),
  )
}

/** What the steering's words mean to a reader; those that say it themselves are left out. */
const REASONS: Readonly<Record<string, string>> = {
  hash: 'by the hash of the asset',
  'hot-asset': 'shares a hot asset',
  'over-share': 'above its fair share',
  overloaded: 'overloaded: behind the others',
  'other-site': 'its site costs more',
  down: 'dropped: down',
  draining: 'dropped: draining',
  capability: 'dropped: lacks a capability',
  'no-address': 'dropped: no address of the family asked for',
  'not-pinned-here': 'dropped: pinned to other networks',
  'no-weight': 'last resort: weight 0',
  avoided: 'last resort: it sent the client away',
  returning: 'last resort: has just come back',
  flapping: 'last resort: comes and goes',
  silent: 'last resort: no report for 3 s',
  unreachable: 'last resort: does not answer probes',
  'address-family': 'last resort: no address of the client’s family',
}

/** `isChosen` undefined: the heads. */
function marked(line: string, isChosen: boolean | undefined, paint: Paint): string {
  if (isChosen === undefined) return paint('dim', `  ${line}`)
  return isChosen ? paint('green', `✓ ${line}`) : `  ${line}`
}

function milliseconds(ms: number): string {
  return `${Math.round(ms)} ms`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
