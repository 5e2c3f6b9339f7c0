// Probes every address of every edge, in turn and at a bounded rate, and keeps the verdicts. It owns the connections
// and one timer; a probe that hangs ends by its timeout.
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import { PROBE_AGAIN_MS, PROBE_TICK_MS } from '../limits.ts'
import type { EdgeView } from '../topology.ts'
import { Prober } from './probe.ts'
import type { Probed } from './probe-failure.ts'
import { probeTargetsOf } from './probe-targets.ts'
import type { ProbeTarget } from './probe-targets.ts'
import { ProbeTurns } from './probe-turns.ts'
import { afterProbe, REACH_UNKNOWN, reachOfEdge, UNTRIED } from './reachability.ts'
import type { AddressReach, EdgeReach, Family, ProbeResult } from './reachability.ts'

export interface ProbesOptions {
  edges: readonly EdgeView[]
  everyMs: number
  timeoutMs: number
  clock: Clock
  log: Logger
  background: Background
  /** Edges that have reported, by id: an edge that was never started is not looked for. */
  heard: () => ReadonlyMap<string, unknown>
  onProbe: (family: Family, result: ProbeResult) => void
}

interface Tried {
  readonly target: ProbeTarget
  readonly prober: Prober
  address: AddressReach
  nextAtMs: number
  underWay: boolean
  /** The log says last that players cannot reach it. */
  toldOut: boolean
}

export class Probes {
  onChange: (() => void) | null = null
  /** By `EdgeView.index`. Replaced, never changed. */
  reach: readonly EdgeReach[]
  readonly #options: ProbesOptions
  readonly #tried: readonly Tried[]
  readonly #byEdge: ReadonlyMap<number, readonly Tried[]>
  readonly #turns: ProbeTurns<Tried>
  readonly #timer: NodeJS.Timeout
  #closed = false

  /** `before`: of the configuration before; what was found of addresses that are still there holds on. */
  constructor(options: ProbesOptions, before?: Probes | null) {
    const { edges, everyMs, timeoutMs, clock } = options
    this.#options = options
    const startMs = clock.monotonic()
    const known = new Map((before ? before.#tried : []).map((tried) => [nameOf(tried.target), tried]))
    const targets = probeTargetsOf(edges)
    this.#tried = targets.map((target, i) => {
      const was = known.get(nameOf(target))
      return {
        target,
        prober: new Prober(target, timeoutMs),
        address: was?.address ?? UNTRIED,
        // Spread over the interval from the first round on.
        nextAtMs: was?.nextAtMs ?? startMs + (everyMs * i) / targets.length,
        underWay: false,
        toldOut: was?.toldOut ?? false,
      }
    })
    this.#byEdge = Map.groupBy(this.#tried, ({ target }) => target.edge.index)
    this.reach = edges.map((edge) => (known.size === 0 ? REACH_UNKNOWN : this.#reachOf(edge)))
    this.#turns = new ProbeTurns(this.#tried)
    this.#timer = setInterval(() => this.#startDue(), PROBE_TICK_MS)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.onChange = null
    clearInterval(this.#timer)
    await Promise.all(this.#tried.map(({ prober }) => prober.close()))
  }

  #startDue(): void {
    const nowMs = this.#options.clock.monotonic()
    const heard = this.#options.heard()
    const due = this.#turns.next(
      ({ underWay, nextAtMs, target }) => !underWay && nextAtMs <= nowMs && heard.has(target.edge.id),
    )
    for (const tried of due) this.#options.background('probe an edge', this.#probe(tried, nowMs))
  }

  async #probe(tried: Tried, startMs: number): Promise<void> {
    tried.underWay = true
    const probed = await tried.prober.probe()
    tried.underWay = false
    if (this.#closed) return
    this.#options.onProbe(tried.target.family, probed.result)
    tried.address = afterProbe(tried.address, probed.result)
    // What is in doubt, or may be back any moment, is asked again soon.
    const doubtful = tried.address.contrary > 0 || tried.address.reach === 'unreachable'
    tried.nextAtMs =
      startMs + (doubtful ? Math.min(PROBE_AGAIN_MS, this.#options.everyMs) : this.#options.everyMs)
    const reach = this.#reachOf(tried.target.edge)
    this.#tell(tried, reach, probed)
    this.#take(tried.target.edge, reach)
  }

  #reachOf({ index }: EdgeView): EdgeReach {
    const tried = this.#byEdge.get(index) ?? []
    const ofFamily = (family: Family) =>
      tried.filter(({ target }) => target.family === family).map(({ address }) => address)
    return reachOfEdge({ 4: ofFamily(4), 6: ofFamily(6) })
  }

  #take({ index }: EdgeView, reach: EdgeReach): void {
    const known = this.reach[index] ?? REACH_UNKNOWN
    if (reach[4] === known[4] && reach[6] === known[6]) return
    this.reach = this.reach.with(index, reach)
    this.onChange?.()
  }

  /** Once when an address is out, and once when it is back. */
  #tell(tried: Tried, reach: EdgeReach, { result, detail }: Probed): void {
    const { target, address, toldOut } = tried
    const { edge, family, origin } = target
    const about = { edge: edge.id, family: `ipv${family}`, address: origin }
    const isOut =
      address.reach === 'unreachable' || (address.last === 'name' && reach[family] === 'unreachable')
    if (isOut === toldOut || (!isOut && address.reach !== 'reachable')) return
    tried.toldOut = isOut
    const { log } = this.#options
    if (isOut) log.warn({ ...about, result, detail }, 'edge cannot be reached where players are sent')
    else log.info(about, 'edge can be reached again')
  }
}

/** Of an address of an edge, as it is asked. */
function nameOf({ edge, family, origin, host, basePath }: ProbeTarget): string {
  return JSON.stringify([edge.id, family, origin, host, basePath])
}
