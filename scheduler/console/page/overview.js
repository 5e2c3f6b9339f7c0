// The overview: the scheduler, and the edges by site with their state, load and configuration.
import { ask, repeat } from './api.js'
import { h, show, state, table } from './dom.js'

export const id = 'overview'
export const title = 'Overview'

const COLUMNS = [
  { name: 'Edge' },
  { name: 'State' },
  { name: 'Sent', number: true },
  { name: 'Connections', number: true },
  { name: 'Requests/s', number: true },
  { name: 'Hits', number: true },
  { name: 'Heard', number: true },
  { name: 'Configuration', number: true },
]

export function open(place, _rest, signal) {
  const facts = h('dl', { class: 'facts' })
  const sites = h('div', { class: 'sites' })
  place.append(h('h1', {}, title), facts, sites)
  void repeat(2000, signal, async () => {
    const [status, { edges }, config] = await Promise.all(
      ['status', 'edges', 'config'].map((path) => ask(path, { signal })),
    )
    document.getElementById('cluster').textContent = status.cluster
    show(facts, ...factsOf(status, edges, config))
    show(sites, ...sitesOf(edges, config))
  })
}

function factsOf({ version, readiness, registry }, edges, { running }) {
  const up = edges.filter((edge) => edge.state === 'up').length
  const sent = edges.reduce((sum, { report }) => sum + (report?.sentBitRate ?? 0), 0)
  const facts = [
    ['Scheduler', readiness.ready ? 'ready' : `not ready: ${readiness.reason ?? ''}`],
    ['Edges up', `${up} of ${edges.length}`],
    ['Sent', bits(sent)],
    ['Configuration', running === null ? '–' : `version ${running.number}`],
    [
      'Registry',
      registry.state === 'healthy' ? registry.kind : `${registry.kind}: ${registry.reason ?? 'held'}`,
    ],
    ['Edgeward', version],
  ]
  return facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))
}

function sitesOf(edges, config) {
  if (edges.length === 0) return [h('p', { class: 'empty' }, 'No edges are configured.')]
  const rollouts = new Map(config.edges.map((edge) => [edge.id, edge]))
  return [...Map.groupBy(edges, ({ site }) => site)].map(([site, ones]) =>
    table(
      site,
      COLUMNS,
      ones.map((edge) => rowOf(edge, rollouts.get(edge.id))),
    ),
  )
}

function rowOf({ id: edge, state: word, suspicion, ageMs, report, override }, rollout) {
  const why = [suspicion, override?.reason].filter(Boolean).join('; ')
  const told = state(word)
  const heard = ageMs === null ? 'never' : ageMs < 10_000 ? 'now' : `${Math.round(ageMs / 1000)} s ago`
  return [
    edge,
    why === '' ? told : h('span', {}, told, h('small', {}, ` ${why}`)),
    report === null ? '–' : bits(report.sentBitRate),
    report === null ? '–' : report.connections.toLocaleString('en'),
    report === null ? '–' : report.requestRate.toFixed(1),
    report === null || report.hitRatio === null ? '–' : `${Math.round(report.hitRatio * 100)} %`,
    heard,
    rolloutWords(rollout),
  ]
}

function rolloutWords(rollout) {
  if (rollout === undefined) return '–'
  const version = rollout.version === null ? '–' : String(rollout.version)
  return rollout.state === 'applied'
    ? version
    : `${version} (${rollout.state}${rollout.reason === null ? '' : `: ${rollout.reason}`})`
}

function bits(rate) {
  const units = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s']
  const step = rate < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(rate) / 3))
  return `${(rate / 1000 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step]}`
}
