// What a run has shown, as a page of text: the seed first, since with it anybody can see the same again.
import { formatTable } from '../../bench/lib/table.ts'
import { CALM_CLASSES } from './balance.ts'
import { AWAY_REASONS } from './nearness.ts'
import { RATE_CLASSES } from './placement.ts'
import { lineOf } from './crowding.ts'
import { clockOf } from './script.ts'
import type { Simulation } from './simulation.ts'
import type { Histogram } from './statistics.ts'
import { RULES } from './violations.ts'

export function pageOf(simulation: Simulation): string {
  const { options, script, violations, digest } = simulation
  const events = script.events.map(
    ({ atMs, endMs, kind, what }) => `  ${clockOf(atMs)} to ${clockOf(endMs)}  ${kind}: ${what}`,
  )
  const told = violations.told.map(({ rule, atMs, text }) => `${rule} at ${clockOf(atMs)}: ${text}`)
  return [
    `seed ${options.seed}, ${options.minutes} min, ${options.sessionsPerMinute} sessions a minute, digest ${digest}`,
    ...(events.length === 0 ? [] : ['', 'events', ...events]),
    '',
    decisionsTable(simulation),
    '',
    balanceTable(simulation),
    '',
    placementTable(simulation),
    '',
    ...eventLines(simulation),
    formatTable(RULES.map((rule) => [rule, String(violations.counts.get(rule) ?? 0)])),
    ...(told.length === 0 ? [] : ['', ...told]),
    '',
    violations.total === 0
      ? 'every invariant held'
      : `${violations.total} violations with seed ${options.seed}`,
    '',
  ].join('\n')
}

function decisionsTable({ checks, moves, lateSeconds, sessions, balance }: Simulation): string {
  const { decisions, held, nearness } = checks
  const part = (count: number) => `${((100 * count) / Math.max(1, decisions)).toFixed(3)} %`
  const late = (histogram: Histogram) =>
    `${part(histogram.count)}, the last after ${histogram.largest.toFixed(2)} s, ${part(histogram.above(5) * histogram.count)} after 5 s`
  return formatTable([
    ['decisions', String(decisions)],
    ['to the nearest site', part(nearness.home)],
    ...AWAY_REASONS.map((reason) => [`past it: ${reason}`, part(nearness.away[reason])]),
    ['detour for congestion, p50 / p95 km', both(nearness.detourKm, 0)],
    ['to an edge that had just died', late(lateSeconds.silent)],
    ['to an edge that only probes find dead', late(lateSeconds.mute)],
    ['of these past the bound, by a recorded hold', String(held)],
    ['asked again', part(moves)],
    ['sessions now', String(sessions)],
    ['utilisation of sites, p50 / p95', both(balance.siteUse, 2)],
  ])
}

function balanceTable({ balance }: Simulation): string {
  const rows = balance.after.map((histogram, i) => {
    const [from, to] = [i === 0 ? 0 : (CALM_CLASSES[i - 1] ?? 0), CALM_CLASSES[i] ?? Infinity]
    return giniRow(
      to === Infinity ? `${from} s and more after one` : `${from} to ${to} s after one`,
      histogram,
    )
  })
  return formatTable([
    ['Gini in loaded sites', 'seconds', 'p50', 'p95', 'p99', 'max'],
    giniRow('no event so far', balance.untouched),
    ...rows,
  ])
}

function giniRow(name: string, histogram: Histogram): string[] {
  const values = [histogram.at(0.5), histogram.at(0.95), histogram.at(0.99), histogram.largest]
  return [name, String(histogram.count), ...values.map((value) => value.toFixed(3))]
}

function placementTable({ placement }: Simulation): string {
  const rows = placement.byRate.map((histogram, i) => {
    const [from, to] = [i === 0 ? 0 : (RATE_CLASSES[i - 1] ?? 0), RATE_CLASSES[i] ?? Infinity]
    const name = to === Infinity ? `${from} and more` : `${from} to ${to}`
    return [
      name,
      String(histogram.count),
      String(histogram.at(0.5)),
      String(histogram.at(0.95)),
      histogram.mean.toFixed(2),
    ]
  })
  return formatTable([
    ['edges of an asset at a site, by requests a second', 'windows', 'p50', 'p95', 'mean'],
    ...rows,
  ])
}

function eventLines({ flapping, crowding }: Simulation): string[] {
  const lines = flapping.flaps.map(
    ({ event, broken }) => `flapping at ${clockOf(event.atMs)} broke off ${broken.join(', ')} sessions`,
  )
  lines.push(...crowding.gatherings.map(lineOf))
  return lines.length === 0 ? [] : [...lines, '']
}

function both(histogram: Histogram, digits: number): string {
  return `${histogram.at(0.5).toFixed(digits)} / ${histogram.at(0.95).toFixed(digits)}`
}
