// Probes every origin that has `health`, over each address family of its own interval, and keeps what they have shown.
// Owns one timer and the probes that are under way; a probe that hangs ends by its timeout.
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import type { ClusterOriginSettings } from '../../src/config/scheduler-schema.ts'
import type { Family, ProbeResult } from '../health/reachability.ts'
import { PROBE_AGAIN_MS, PROBE_TICK_MS } from '../limits.ts'
import { UNPROBED, afterOriginProbe } from './family-standing.ts'
import type { FamilyStandings } from './family-standing.ts'
import { ORIGIN_PROBES_PER_TICK } from './limits.ts'
import { OriginProber, familiesOf, isProbed } from './origin-prober.ts'
import type { ProbedOrigin } from './origin-prober.ts'
import { ProbeLookups } from './probe-lookups.ts'

export interface OriginProbesOptions {
  readonly origins: readonly ClusterOriginSettings[]
  readonly clock: Clock
  readonly background: Background
  readonly onProbe: (origin: string, family: Family, result: ProbeResult) => void
  /** Called after each probe. */
  readonly onChange: () => void
}

interface Turn {
  readonly origin: ProbedOrigin
  readonly family: Family
  readonly prober: OriginProber
  nextAtMs: number
  underWay: boolean
}

const NONE: FamilyStandings = new Map()

export class OriginProbes {
  readonly #options: OriginProbesOptions
  /** By id, of those that are probed. */
  readonly #standings = new Map<string, FamilyStandings>()
  readonly #asked = new Map<string, string>()
  readonly #turns: readonly Turn[]
  readonly #timer: NodeJS.Timeout
  #closed = false

  /** `before`: of the configuration before; what was found of origins that are asked as before holds on. */
  constructor(options: OriginProbesOptions, before: OriginProbes | undefined) {
    const { origins, clock } = options
    const nowMs = clock.monotonic()
    const lookups = new ProbeLookups()
    this.#options = options
    const probed = origins.filter(isProbed)
    for (const origin of probed) {
      const asked = JSON.stringify(origin)
      this.#asked.set(origin.id, asked)
      const isSame = before !== undefined && before.#asked.get(origin.id) === asked
      const known = isSame ? before.standingsOf(origin.id) : undefined
      this.#standings.set(origin.id, known ?? new Map(familiesOf(origin).map((family) => [family, UNPROBED])))
    }
    this.#turns = probed.flatMap((origin) =>
      familiesOf(origin).map((family) => ({
        origin,
        family,
        prober: new OriginProber(origin, family, lookups),
        nextAtMs: nowMs,
        underWay: false,
      })),
    )
    this.#timer = setInterval(() => this.#startDue(), PROBE_TICK_MS)
  }

  /** Empty for one that is not probed. */
  standingsOf(origin: string): FamilyStandings {
    return this.#standings.get(origin) ?? NONE
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    for (const { prober } of this.#turns) prober.close()
  }

  #startDue(): void {
    const nowMs = this.#options.clock.monotonic()
    const due = this.#turns.filter(({ underWay, nextAtMs }) => !underWay && nextAtMs <= nowMs)
    // Whoever has waited longest goes first.
    const first = due.toSorted((a, b) => a.nextAtMs - b.nextAtMs).slice(0, ORIGIN_PROBES_PER_TICK)
    for (const turn of first) this.#options.background('probe an origin', this.#probe(turn, nowMs))
  }

  async #probe(turn: Turn, startMs: number): Promise<void> {
    const { origin, family, prober } = turn
    const { health, id } = origin
    turn.underWay = true
    const probed = await prober.probe()
    turn.underWay = false
    if (this.#closed) return
    this.#options.onProbe(id, family, probed.result)
    const standings = afterOriginProbe(this.standingsOf(id), family, probed, health)
    this.#standings.set(id, standings)
    // One probe more decides.
    const isDoubtful = (standings.get(family)?.contrary ?? 0) > 0
    turn.nextAtMs = startMs + (isDoubtful ? Math.min(PROBE_AGAIN_MS, health.every) : health.every)
    this.#options.onChange()
  }
}
