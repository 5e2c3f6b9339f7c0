// A steering decision for people: where the client is and how that is known, what each site would cost it, the edges
// of the sites that matter, and who won.
import type { Decision, SiteRecord } from '../../wire/decision.ts'
import { tableLines } from '../operator/table.ts'
import { paintOn, printable } from './screen.ts'
import type { Paint, Screen } from './screen.ts'

/** Sites behind the weighed ones that a page shows without `--all`. */
const FARTHER_SHOWN = 3

export function decisionPage(decision: Decision, all: boolean, screen: Screen): string {
  const paint = paintOn(screen)
  const { method, host, path, client, time, property, asset, sites } = decision
  const shown = all ? sites : nearSites(sites)
  const left = sites.length - shown.length
  return [
    paint('bold', printable(`${method} ${host}${path ?? '/…'}`)),
    paint('dim', `from ${client ?? 'an unknown address (--client)'}, at ${time}`),
    '',
    ...(property === null ? [] : [`property  ${property}, asset ${printable(asset ?? '')}`]),
    ...locatedLines(decision),
    ...decision.holds.map((hold) => paint('yellow', holdWords(hold))),
    ...(shown.length === 0 ? [] : ['', ...siteLines(shown, paint), '', ...edgeLines(decision, shown, paint)]),
    ...(left === 0 ? [] : [paint('dim', `and ${left} sites more, all farther away (--all)`)]),
    '',
    conclusion(decision, paint),
    '',
  ].join('\n')
}

function nearSites(sites: readonly SiteRecord[]): readonly SiteRecord[] {
  let farther = 0
  return sites.filter(({ verdict }) => verdict !== 'farther' || ++farther <= FARTHER_SHOWN)
}

function locatedLines({ location }: Decision): string[] {
  if (location === null) return []
  const { source, network, asn, country, position, sites } = location
  const known = [
    ...(network === null ? [] : [`coverage network ${network}`]),
    ...(asn === null ? [] : [`AS${asn}`]),
    ...(country === null ? [] : [country]),
    ...(position === null ? [] : [`${position.lat}, ${position.lon}`]),
  ]
  const what = known.length === 0 ? 'nothing known of the address' : known.join(', ')
  return [`located   ${sites.join(', ')}: ${SOURCES[source]} (${what})`]
}

const SOURCES: Record<NonNullable<Decision['location']>['source'], string> = {
  coverage: 'its network is covered',
  asn: 'its network number is covered',
  'geoip-country': 'its country is covered',
  'geoip-position': 'nearest to its position',
  default: 'the default site',
}

function holdWords({ evidence, edges, forMs }: Decision['holds'][number]): string {
  return `held      ${evidence} against ${edges} edges at once, for ${Math.round(forMs / 1000)} s: not believed`
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

function edgeLines({ chosen }: Decision, sites: readonly SiteRecord[], paint: Paint): string[] {
  const edges = sites
    .filter(({ verdict }) => verdict !== 'farther' && verdict !== 'not-for-property')
    .flatMap(({ site, edges: held }) => held.map((edge) => ({ site, ...edge })))
  const rows = edges.map(({ edge, site, state, utilisation, ramp, reason }) => [
    edge,
    site,
    state,
    percent(utilisation),
    ramp === 1 ? '' : percent(ramp),
    REASONS[reason] ?? reason,
  ])
  const lines = tableLines([['EDGE', 'SITE', 'STATE', 'LOAD', 'RAMP', ''], ...rows], RIGHT_OF_EDGES)
  return lines.map((line, i) =>
    marked(line, i === 0 ? undefined : edges[i - 1]?.edge === chosen?.edge, paint),
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

function conclusion({ chosen, outcome, denied, status }: Decision, paint: Paint): string {
  if (status >= 400) {
    const why = denied === null ? outcome : `denied: ${denied}`
    return paint(['bold', 'red'], `${status} ${why}`)
  }
  const where = chosen === null ? '' : ` to ${chosen.edge} at ${chosen.site}, ${chosen.url}`
  return paint(['bold', 'green'], `${status} ${outcome}${where}`)
}

function milliseconds(ms: number): string {
  return `${Math.round(ms)} ms`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
