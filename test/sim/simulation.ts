// The simulation: steps of virtual time in which events happen, sessions end, reports travel, two schedulers decide for
// whoever comes, and every decision is checked. The same options give the same decisions, to the last one.
import { stateOf } from '../../scheduler/health/liveness.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { loadPlaces } from '../../src/geo/places.ts'
import type { Places } from '../../src/geo/places.ts'
import type { Random } from '../../src/clock.ts'
import type { OverrideRequest } from '../../src/wire/override.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { CITY_FILES } from '../kit/city-database.ts'
import { queryFor } from '../kit/scheduler.ts'
import { Arrivals } from './arrivals.ts'
import type { Arrival } from './arrivals.ts'
import { Balance } from './balance.ts'
import { makeCatalogue } from './catalogue.ts'
import { between, chanceOf, exponential, pick } from './chance.ts'
import { asnOf, drawClients, scopeOfAsn } from './clients.ts'
import type { Client, ClientsByCity } from './clients.ts'
import { Crowding } from './crowding.ts'
import { DecisionChecks } from './decision-checks.ts'
import { Flapping } from './flapping.ts'
import { addSession, dueReport, makeFleet, removeSession, serves, setTrouble } from './fleet.ts'
import type { SimEdge, Trouble } from './fleet.ts'
import { Mailbox } from './mailbox.ts'
import { Outages } from './outages.ts'
import { Placement, WINDOW_MS } from './placement.ts'
import { ReportStore } from './report-store.ts'
import { writeScript } from './script.ts'
import type { EventKind, Script, Stage } from './script.ts'
import { Sessions } from './sessions.ts'
import { SimScheduler } from './sim-scheduler.ts'
import { Histogram } from './statistics.ts'
import { Violations } from './violations.ts'
import { STEP_MS, VirtualClock } from './virtual-clock.ts'
import { EDGES_PER_SITE, makeWorld, readCities } from './world.ts'
import type { City, CityInFile } from './world.ts'

export interface SimulationOptions {
  readonly seed: number
  readonly minutes: number
  readonly sessionsPerMinute: number
  /** Of a session; ends as radioactive decay does. */
  readonly meanSessionMs: number
  readonly events: readonly EventKind[]
  /** From one round of events to the next. */
  readonly roundMs: number
}

/** What is real, and the same for all seeds. */
export interface Ground {
  readonly places: Places
  readonly cities: readonly CityInFile[]
  readonly clients: ClientsByCity
}

/** A report is lost so often. */
const REPORT_LOSS = 0.005
/** How long a player waits for data before it asks again. */
const STALL_MS = { from: 1000, to: 4000 }

export class Simulation implements Stage {
  readonly options: SimulationOptions
  readonly script: Script
  readonly violations = new Violations()
  readonly balance: Balance
  readonly placement: Placement
  readonly checks: DecisionChecks
  readonly flapping: Flapping
  readonly crowding: Crowding
  readonly outages: Outages
  readonly lateSeconds = { silent: new Histogram(20), mute: new Histogram(20) }
  readonly schedulers: readonly SimScheduler[]
  readonly cities: readonly City[]
  readonly fleet: readonly SimEdge[]
  /** Players that asked again since their edge was gone. */
  moves = 0
  readonly #clock = new VirtualClock()
  readonly #catalogue = makeCatalogue()
  readonly #clients: readonly Client[]
  readonly #sessions: Sessions
  readonly #arrivals: Arrivals
  readonly #chance: { readonly reports: Random; readonly players: Random }
  readonly #mail = new Mailbox<{ scheduler: SimScheduler; report: EdgeReport }>()
  readonly #again = new Mailbox<Arrival>()
  #cue = 0
  #digest = 0x811c9dc5

  constructor(options: SimulationOptions, { places: geo, cities: inFile, clients }: Ground) {
    const { seed, minutes, sessionsPerMinute, meanSessionMs } = options
    this.options = options
    const sessions = (sessionsPerMinute / 60_000) * meanSessionMs
    const { cities, settings } = makeWorld(seed, inFile, sessions * this.#catalogue.meanBitRate)
    const topology = buildTopology(settings)
    this.cities = cities
    this.fleet = makeFleet(topology, chanceOf(seed, 'fleet'))
    this.#chance = { reports: chanceOf(seed, 'reports'), players: chanceOf(seed, 'players') }
    this.#clients = clients.flat().toSorted((x, y) => x.index - y.index)
    this.#sessions = new Sessions(meanSessionMs)
    this.#arrivals = new Arrivals(seed, cities, clients, this.#catalogue, sessionsPerMinute)
    const { violations, fleet, lateSeconds } = this
    this.balance = new Balance(cities, fleet, violations, (edge) => this.#isTrusted(edge))
    this.placement = new Placement(cities.length, this.#catalogue.assets.length)
    const utilisationOf = (city: number) => this.balance.utilisationOf(city)
    this.checks = new DecisionChecks({ cities, fleet, violations, lateSeconds, utilisationOf })
    const random = chanceOf(seed, 'script')
    const { events: kinds, roundMs } = options
    this.script = writeScript({ cities, fleet, random }, { durationMs: minutes * 60_000, roundMs, kinds })
    this.flapping = new Flapping(this.script, violations)
    this.crowding = new Crowding(this.script)
    const store = new ReportStore()
    const places: Places = {
      find: (address) => geo.find(address),
      findAsn: asnOf,
      look: (address) => geo.look(address),
      lookForAsn: (address) => ({ found: asnOf(address), scope: scopeOfAsn(address) }),
    }
    const errors = [
      { aheadMs: 0, second: 1, startedMs: 5_000_000, phaseMs: 0 },
      { aheadMs: -90_000, second: 1.003, startedMs: 40_000, phaseMs: 130 },
    ]
    this.schedulers = errors.map(({ aheadMs, second, startedMs, phaseMs }, i) => {
      const clock = this.#clock.machine({ aheadMs, second }, startedMs)
      return new SimScheduler({ name: `s${i}`, clock, topology, places, store, fleet, phaseMs })
    })
    this.outages = new Outages(this.schedulers, violations)
    this.#begin()
  }

  /** Of all decisions so far: equal for equal runs. */
  get digest(): string {
    return (this.#digest >>> 0).toString(16).padStart(8, '0')
  }

  get sessions(): number {
    return this.#sessions.count
  }

  get nowMs(): number {
    return this.#clock.nowMs
  }

  run(onSecond: (simulation: Simulation) => void = () => {}): void {
    const steps = Math.round((this.options.minutes * 60_000) / STEP_MS)
    for (let step = 1; step <= steps; step += 1) {
      this.#step(step * STEP_MS)
      if (step % (1000 / STEP_MS) === 0) {
        this.#second()
        onSecond(this)
      }
    }
    this.placement.check(this.nowMs, this.violations)
    this.flapping.check()
    this.crowding.check(this.violations)
  }

  begin(edges: readonly SimEdge[], trouble: Trouble): void {
    const { nowMs } = this
    if (trouble === 'control') this.outages.begin(edges, nowMs)
    for (const edge of edges) setTrouble(edge, trouble, 1, nowMs)
    const dead = new Set(edges.filter((edge) => !serves(edge, 4)).map(({ view }) => view.index))
    const mute6 = new Set(edges.filter((edge) => !serves(edge, 6)).map(({ view }) => view.index))
    const broken = [
      ...this.#sessions.breakOff(dead),
      ...this.#sessions.breakOff(mute6, ({ client }) => this.#clients[client]?.family === 6),
    ]
    for (const [index, { client, asset, bits }] of broken) {
      const edge = this.fleet[index]
      const arrival = this.#arrivalOf(client, asset, bits)
      if (edge !== undefined) removeSession(edge, asset, bits)
      this.#askAgain(arrival)
    }
    if (trouble === 'link') this.flapping.cut(edges, broken.length, nowMs)
  }

  end(edges: readonly SimEdge[], trouble: Trouble): void {
    if (trouble === 'control') this.outages.end(this.nowMs)
    for (const edge of edges) setTrouble(edge, trouble, -1, this.nowMs)
  }

  crowd(asset: number, cities: readonly City[], factor: number): void {
    this.#arrivals.crowd(asset, cities, factor)
    for (const { index } of cities) this.balance.disturb(index, this.nowMs)
  }

  override(edge: SimEdge, wanted: OverrideRequest | null): void {
    setTrouble(edge, 'override', wanted === null ? -1 : 1, this.nowMs)
    edge.weight = wanted === null ? 1 : wanted.state === undefined ? (wanted.weight ?? 1) : 0
    for (const scheduler of this.schedulers) scheduler.override(edge.view.id, wanted)
  }

  /** Every site has the sessions that it would have, spread by capacity; every edge has just reported. */
  #begin(): void {
    const { sessionsPerMinute, meanSessionMs } = this.options
    const total = (sessionsPerMinute / 60_000) * meanSessionMs
    for (const city of this.cities) {
      const edges = this.fleet.slice(city.index * EDGES_PER_SITE, (city.index + 1) * EDGES_PER_SITE)
      for (let i = 0; i < total * city.share; i += 1) {
        // The least loaded of two: nearly even, as steering would have it.
        const [one, two] = [pick(this.#chance.players, edges), pick(this.#chance.players, edges)]
        const edge = one.bits / one.view.bandwidth < two.bits / two.view.bandwidth ? one : two
        if (edge.view.pinned === null) this.#watch(edge, this.#arrivals.drawAt(city))
      }
    }
    for (const edge of this.fleet) {
      const report = dueReport({ ...edge, nextReportMs: 0 }, this.#catalogue.assets, 0)
      // To both, as if they had been there before.
      if (report !== undefined) for (const scheduler of this.schedulers) scheduler.record(report)
    }
    for (const scheduler of this.schedulers) scheduler.advance(0)
  }

  #step(nowMs: number): void {
    const beganMs = this.#clock.nowMs
    const decide = [...this.#again.take(beganMs), ...this.#arrivals.draw(beganMs)]
    for (let i = 0; i < decide.length; i += 1) {
      // Spread over the step: what decays between two decisions does.
      this.#clock.nowMs = beganMs + ((i + 0.5) * STEP_MS) / decide.length
      const arrival = decide[i]
      if (arrival !== undefined) this.#decide(arrival)
    }
    this.#clock.nowMs = nowMs
    this.#sessions.advance((edge, { asset, bits }) => {
      const from = this.fleet[edge]
      if (from !== undefined) removeSession(from, asset, bits)
    })
    for (let cue = this.script.cues[this.#cue]; cue !== undefined && cue.atMs <= nowMs;) {
      cue.act(this)
      this.#cue += 1
      cue = this.script.cues[this.#cue]
    }
    for (const edge of this.fleet) {
      const report = dueReport(edge, this.#catalogue.assets, nowMs)
      if (report === undefined || this.#chance.reports() < REPORT_LOSS) continue
      this.#mail.post({ scheduler: this.#schedulerOf(edge), report }, nowMs + edge.delayMs)
    }
    for (const { scheduler, report } of this.#mail.take(nowMs)) scheduler.record(report)
    for (const scheduler of this.schedulers) scheduler.advance(nowMs)
  }

  #decide(arrival: Arrival): void {
    const { client, asset } = arrival
    const scheduler = pick(this.#chance.players, this.schedulers)
    const steered = scheduler.decide(queryFor({ host: asset.host, path: asset.path, peer: client.peer }))
    this.checks.check({ steered, client, asset, scheduler: scheduler.name, atMs: this.nowMs })
    const edge = this.fleet[steered.chosen?.edge.index ?? -1]
    this.#digest = Math.imul(this.#digest ^ (edge?.view.index ?? 0xffff), 0x01000193) ^ (this.#digest >>> 15)
    if (edge === undefined) return this.#askAgain(arrival)
    this.placement.note(edge.view.index, asset.index)
    if (serves(edge, client.family)) this.#watch(edge, arrival)
    else this.#askAgain(arrival)
  }

  #watch(edge: SimEdge, { client, asset, bits }: Arrival): void {
    const lastsMs = exponential(this.#chance.players, this.options.meanSessionMs)
    this.#sessions.start(edge.view.index, { client: client.index, asset: asset.index, bits }, lastsMs)
    addSession(edge, asset.index, bits)
  }

  #askAgain(arrival: Arrival): void {
    this.moves += 1
    this.#again.post(arrival, this.nowMs + between(this.#chance.players, STALL_MS.from, STALL_MS.to))
  }

  #second(): void {
    const { nowMs } = this
    const isWarm = nowMs >= this.options.meanSessionMs
    for (const city of this.cities) {
      if (this.#arrivals.isCrowded(city.index)) this.balance.disturb(city.index, nowMs)
    }
    if (isWarm) this.balance.look(nowMs)
    this.outages.look(nowMs)
    if (nowMs % WINDOW_MS !== 0) return
    this.crowding.look(this.placement, nowMs)
    this.placement.close((city) => isWarm && this.balance.isUntouched(city, nowMs))
  }

  /** By all schedulers. */
  #isTrusted({ view }: SimEdge): boolean {
    return this.schedulers.every(({ snapshot, nowMs }) => {
      const state = stateOf(snapshot.reports[view.index], nowMs, snapshot.health[view.index])
      return state === 'up' || state === 'overloaded'
    })
  }

  #arrivalOf(client: number, index: number, bits: number): Arrival {
    const [who, asset] = [this.#clients[client], this.#catalogue.assets[index]]
    if (who === undefined || asset === undefined) throw new Error('a session of nobody')
    return { client: who, asset, bits }
  }

  #schedulerOf({ view }: SimEdge): SimScheduler {
    const scheduler = this.schedulers[view.index % this.schedulers.length]
    if (scheduler === undefined) throw new Error('no scheduler')
    return scheduler
  }
}

export async function loadGround(): Promise<Ground> {
  const places = await loadPlaces({ city: [CITY_FILES[4], CITY_FILES[6]], country: [], asn: [] })
  const cities = readCities()
  return { places, cities, clients: drawClients(cities) }
}
