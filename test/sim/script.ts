// What goes wrong, and when: a script of events made from the seed, in rounds of which each holds every kind once.
import type { Random } from '../../src/clock.ts'
import type { OverrideRequest } from '../../src/wire/override.ts'
import { between, pick, pickSome } from './chance.ts'
import { LIVE_CHANNELS } from './catalogue.ts'
import type { SimEdge, Trouble } from './fleet.ts'
import { kilometres } from './globe.ts'
import type { City } from './world.ts'

export const EVENT_KINDS = [
  'edge-crash',
  'edge-hang',
  'site-power',
  'region-flap',
  'flash-crowd',
  'report-outage',
  'rolling-restart',
  'override',
  'ipv6-broken',
] as const
export type EventKind = (typeof EVENT_KINDS)[number]

/** What an event does to the world. */
export interface Stage {
  begin(edges: readonly SimEdge[], trouble: Trouble): void
  end(edges: readonly SimEdge[], trouble: Trouble): void
  /** A channel is asked for so many times as often in these cities; 1 ends it. */
  crowd(asset: number, cities: readonly City[], factor: number): void
  override(edge: SimEdge, wanted: OverrideRequest | null): void
}

export interface ScriptEvent {
  readonly kind: EventKind
  readonly atMs: number
  readonly endMs: number
  readonly what: string
  readonly cities: ReadonlySet<number>
  /** What a crowd comes for. */
  readonly asset?: number
}

export interface Cue {
  readonly atMs: number
  readonly act: (stage: Stage) => void
}

export interface Script {
  readonly events: readonly ScriptEvent[]
  /** In the order of time. */
  readonly cues: readonly Cue[]
}

/** A round needs so long: the last event, and some time after it. */
export const ROUND_MS_MIN = 75_000

/** `hit`: cities that something went wrong in earlier in the round. */
type Writer = (
  at: number,
  world: ScriptWorld & { hit: ReadonlySet<number> },
) => { event: Omit<ScriptEvent, 'kind' | 'atMs'>; cues: Cue[] }

export interface ScriptWorld {
  readonly cities: readonly City[]
  readonly fleet: readonly SimEdge[]
  readonly random: Random
}

/**
 * Second of its round in which each begins, give or take one. Those that a site feels for long come first; the outage
 * that all sites feel comes last.
 */
const BEGINS: Readonly<Record<EventKind, number>> = {
  'edge-crash': 5,
  override: 6,
  'rolling-restart': 7,
  'region-flap': 8,
  'edge-hang': 9,
  'site-power': 12,
  'flash-crowd': 30,
  'ipv6-broken': 33,
  'report-outage': 55,
}

export interface ScriptPlan {
  readonly durationMs: number
  readonly roundMs: number
  readonly kinds: readonly EventKind[]
}

/** As many rounds as fit. */
export function writeScript(world: ScriptWorld, { durationMs, roundMs, kinds }: ScriptPlan): Script {
  const events: ScriptEvent[] = []
  const cues: Cue[] = []
  for (let round = 0; round + ROUND_MS_MIN <= durationMs; round += roundMs) {
    const hit = new Set<number>()
    for (const kind of kinds.toSorted((x, y) => BEGINS[x] - BEGINS[y])) {
      const atMs = round + (BEGINS[kind] + between(world.random, -1, 1)) * 1000
      const { event, cues: more } = WRITERS[kind](atMs, { ...world, hit })
      events.push({ kind, atMs, ...event })
      cues.push(...more)
      for (const city of event.cities) hit.add(city)
    }
  }
  return { events, cues: cues.toSorted((x, y) => x.atMs - y.atMs) }
}

const WRITERS: Readonly<Record<EventKind, Writer>> = {
  'edge-crash': (at, { fleet, random }) => {
    const hit = pickSome(random, fleet, 8)
    const cues = hit.flatMap((edge) => {
      const from = at + between(random, 0, 4000)
      return spell(from, from + between(random, 3000, 20_000), [edge], 'off')
    })
    return { event: about(hit, `${hit.length} edges`, at + 24_000), cues }
  },
  'edge-hang': (at, { fleet, random }) => {
    const hit = pickSome(random, fleet, 4)
    return { event: about(hit, names(hit), at + 20_000), cues: spell(at, at + 20_000, hit, 'hung') }
  },
  'site-power': (at, { cities, fleet, random }) => {
    const city = pick(random, cities)
    const hit = fleet.filter((edge) => edge.city === city.index)
    return { event: about(hit, city.id, at + 18_000), cues: spell(at, at + 18_000, hit, 'off') }
  },
  'region-flap': (at, { cities, fleet, random }) => {
    const centre = pick(random, cities)
    const region = cities.toSorted((x, y) => kilometres(centre, x) - kilometres(centre, y)).slice(0, 6)
    const hit = fleet.filter(({ city }) => region.some(({ index }) => index === city))
    const cues: Cue[] = []
    let from = at
    while (from < at + 42_000) {
      const until = from + between(random, 4000, 7000)
      cues.push(...spell(from, until, hit, 'link'))
      from = until + between(random, 2500, 4500)
    }
    return { event: about(hit, region.map(({ id }) => id).join(', '), at + 50_000), cues }
  },
  'flash-crowd': (at, { cities, fleet, hit: before, random }) => {
    const countries = Map.groupBy(cities, ({ country }) => country)
    const several = [...countries].filter(([, list]) => list.length > 1)
    // Where nothing else went wrong lately, if there is such a place: only there its edges can be counted.
    const calm = several.filter(([, list]) => list.every(({ index }) => !before.has(index)))
    const [country, crowded] = pick(random, calm.length > 0 ? calm : several)
    // Not the favourite: a channel that few watch, fifty times.
    const asset = Math.floor(between(random, 3, LIVE_CHANNELS / 3))
    const end = at + 20_000
    const cues: Cue[] = [1, 2, 3].map((step) => ({
      atMs: at + step * 1000,
      act: (stage) => stage.crowd(asset, crowded, 1 + (49 * step) / 3),
    }))
    cues.push({ atMs: end, act: (stage) => stage.crowd(asset, crowded, 1) })
    const hit = fleet.filter(({ city }) => crowded.some(({ index }) => index === city))
    return {
      event: { ...about(hit, `channel-${asset} x50 in ${country}`, end), ...(calm.length > 0 && { asset }) },
      cues,
    }
  },
  'report-outage': (at, { fleet, random }) => {
    const hit = pickSome(random, fleet, fleet.length * 0.6)
    const dying = pickSome(random, hit, 3)
    const cues = [
      ...spell(at, at + 14_000, hit, 'control'),
      // What dies meanwhile looks like the rest, to those who listen for reports.
      ...spell(at + 5000, at + 14_000, dying, 'off'),
    ]
    return { event: about(dying, `reports of ${hit.length} edges; ${names(dying)} die`, at + 14_000), cues }
  },
  'rolling-restart': (at, { cities, fleet, random }) => {
    const city = pick(random, cities)
    const hit = fleet.filter((edge) => edge.city === city.index)
    const cues = hit.flatMap((edge, i) => {
      const from = at + i * 2000
      return [
        ...spell(from, from + 7000, [edge], 'draining'),
        ...spell(from + 6000, from + 7000, [edge], 'off'),
      ]
    })
    return { event: about(hit, city.id, at + hit.length * 2000 + 5000), cues }
  },
  override: (at, { fleet, random }) => {
    const [drained, halved] = pickSome(random, fleet, 2)
    if (drained === undefined || halved === undefined) throw new Error('no fleet')
    const end = at + 25_000
    const cues: Cue[] = [
      { atMs: at, act: (stage) => stage.override(drained, { state: 'drain' }) },
      { atMs: at, act: (stage) => stage.override(halved, { weight: 0.5 }) },
      { atMs: end, act: (stage) => stage.override(drained, null) },
      { atMs: end, act: (stage) => stage.override(halved, null) },
    ]
    const hit = [drained, halved]
    return {
      event: about(hit, `${drained.view.id} drains, ${halved.view.id} has half its weight`, end),
      cues,
    }
  },
  'ipv6-broken': (at, { cities, fleet, random }) => {
    const city = pick(random, cities)
    const hit = fleet.filter((edge) => edge.city === city.index)
    return { event: about(hit, city.id, at + 15_000), cues: spell(at, at + 15_000, hit, 'ipv6') }
  },
}

function spell(atMs: number, endMs: number, edges: readonly SimEdge[], trouble: Trouble): Cue[] {
  return [
    { atMs, act: (stage) => stage.begin(edges, trouble) },
    { atMs: endMs, act: (stage) => stage.end(edges, trouble) },
  ]
}

function about(edges: readonly SimEdge[], what: string, endMs: number) {
  return { what, endMs, cities: new Set(edges.map(({ city }) => city)) }
}

function names(edges: readonly SimEdge[]): string {
  return edges.map(({ view }) => view.id).join(', ')
}

/** Minutes and seconds since the beginning. */
export function clockOf(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
