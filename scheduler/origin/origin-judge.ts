// The origins as this scheduler judges them: joins what probes and edges say, holds what too many probes say at once, and
// gives one verdict of each for all edges. Owns the probes and a timer.
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import type { ClusterOriginSettings } from '../../src/config/scheduler-schema.ts'
import type { Logger } from '../../src/log.ts'
import type { Guidance } from '../../src/wire/guidance.ts'
import { MassFailureGate } from '../health/mass-failure.ts'
import type { Finding, MassFailureChange } from '../health/mass-failure.ts'
import { DOWN_AFTER_MS } from '../limits.ts'
import { placesBefore } from '../places-before.ts'
import { ageOf } from '../registry/registry.ts'
import type { SeenReport } from '../registry/registry.ts'
import type { EdgeView } from '../topology.ts'
import { NOTHING_SEEN, edgesWord } from './edges-word.ts'
import type { EdgesView, EdgesWord, Listeners } from './edges-word.ts'
import { findingOf, isOwnWord } from './family-standing.ts'
import type { FamilyStandings, ProbeFinding } from './family-standing.ts'
import {
  CORROBORATED_MS,
  EDGES_PER_LOOK_MS,
  HELD_AT_LEAST,
  HELD_OF_AT_LEAST,
  HOLD_OFF_MS,
  ORIGIN_TICK_MS,
  VOUCHED_MS,
} from './limits.ts'
import { OriginProbes } from './origin-probes.ts'
import type { OriginProbesOptions } from './origin-probes.ts'
import { RecentOutcomes } from './recent-outcomes.ts'
import { firstVerdict, nextVerdict, shareOf } from './verdict.ts'
import type { Verdict } from './verdict.ts'

export interface OriginJudgeDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly background: Background
  readonly onProbe: OriginProbesOptions['onProbe']
  readonly onVerdict: (origin: string, state: Verdict['state']) => void
}

/** What is known of one origin. */
export interface OriginStanding {
  readonly origin: ClusterOriginSettings
  readonly verdict: Verdict
  readonly share: number
  /** Its probes are not believed: too many turned bad at once. */
  readonly isHeld: boolean
  /** Empty where it is not probed. */
  readonly probes: FamilyStandings
  readonly edges: EdgesView
}

interface Judged {
  readonly origin: ClusterOriginSettings
  verdict: Verdict
  /** Edges' successes speak against its probes until then. */
  vouchedUntilMs: number
  /** When edges saw it fail last. */
  failedAtMs: number
}

interface Heard {
  readonly probes: ProbeFinding
  readonly isOwnWord: boolean
  readonly word: EdgesWord
  readonly isVouched: boolean
}

export class OriginJudge {
  /** Called when the guidance has changed; `isNews`: not just by a step of a ramp. One listener. */
  onChange: ((isNews: boolean) => void) | null = null
  readonly #deps: OriginJudgeDeps
  readonly #judged: readonly Judged[]
  readonly #outcomes: RecentOutcomes
  readonly #probes: OriginProbes
  readonly #gate: MassFailureGate
  readonly #timer: NodeJS.Timeout
  #reports: readonly (SeenReport | undefined)[] = []
  readonly #edges: readonly EdgeView[]
  #soon: NodeJS.Timeout | undefined
  #lookedAtMs = -Infinity
  /** Since the last look. */
  #isProbeNew = false
  #guidance: Guidance['origins'] = {}
  #guidanceText = '{}'

  /** `before`: of the configuration before; what was found of origins that are still there goes on. */
  constructor(
    origins: readonly ClusterOriginSettings[],
    edges: readonly EdgeView[],
    deps: OriginJudgeDeps,
    before?: OriginJudge,
  ) {
    const { clock, background, onProbe } = deps
    const nowMs = clock.monotonic()
    const judgedBefore = before === undefined ? [] : before.#judged
    const places = placesBefore(
      origins,
      judgedBefore.map(({ origin }) => origin),
    )
    this.#deps = deps
    this.#edges = edges
    this.#judged = origins.map((origin, i) => {
      const { verdict, vouchedUntilMs, failedAtMs } = judgedBefore[places[i] ?? -1] ?? firstJudged(nowMs)
      return { origin, verdict, vouchedUntilMs, failedAtMs }
    })
    this.#gate =
      before === undefined ? new MassFailureGate(origins.length, HELD_AT_LEAST) : before.#gate.movedTo(places)
    this.#outcomes = new RecentOutcomes(
      edges,
      origins.map(({ id }) => id),
    )
    const options = { origins, clock, background, onProbe, onChange: () => this.#hearProbe() }
    this.#probes = new OriginProbes(options, before === undefined ? undefined : before.#probes)
    this.#timer = setInterval(() => this.#look(true), ORIGIN_TICK_MS)
    this.#timer.unref()
    this.#renew()
  }

  /** Of those that are not up. Replaced, never changed. */
  get guidance(): Guidance['origins'] {
    return this.#guidance
  }

  /** Takes the reports of a snapshot, by `EdgeView.index`. */
  hear(reports: readonly (SeenReport | undefined)[]): void {
    this.#reports = reports
    this.#lookSoon()
  }

  standings(): readonly OriginStanding[] {
    const nowMs = this.#deps.clock.monotonic()
    return this.#judged.map(({ origin, verdict }, i) => ({
      origin,
      verdict,
      share: shareOf(verdict, nowMs),
      isHeld: this.#gate.hold?.held.has(i) === true,
      probes: this.#probes.standingsOf(origin.id),
      edges: this.#outcomes.viewOf(origin.id, nowMs),
    }))
  }

  /** Origins whose probes are not believed. */
  get held(): number {
    return this.#gate.hold?.held.size ?? 0
  }

  close(): void {
    this.onChange = null
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
    this.#probes.close()
  }

  #hearProbe(): void {
    this.#isProbeNew = true
    this.#lookSoon()
  }

  /** At once, but of a large fleet not more often than it can be looked at. */
  #lookSoon(): void {
    if (this.#soon !== undefined) return
    const gapMs = Math.floor(this.#edges.length / EDGES_PER_LOOK_MS)
    const leftMs = this.#lookedAtMs + gapMs - this.#deps.clock.monotonic()
    if (leftMs <= 0) return this.#look(this.#isProbeNew)
    this.#soon = setTimeout(() => this.#look(this.#isProbeNew), leftMs)
  }

  #look(isDue: boolean): void {
    const nowMs = this.#deps.clock.monotonic()
    clearTimeout(this.#soon)
    this.#soon = undefined
    this.#lookedAtMs = nowMs
    this.#isProbeNew = false
    if (this.#outcomes.take(this.#reports) || isDue) this.#judge(nowMs)
  }

  #judge(nowMs: number): void {
    const heard = this.#judged.map((judged) => this.#hearOf(judged, nowMs))
    const hasBegun = this.#hold(heard, nowMs) === 'begins'
    const { hold } = this.#gate
    let isNews = false
    for (const [i, judged] of this.#judged.entries()) {
      const { probes, word, isVouched } = heard[i] ?? UNHEARD
      const isHeld = hold?.held.has(i) === true
      const evidence = { probes: isVouched || isHeld ? 'unknown' : probes, edges: word }
      // The first of many was believed, being the only one then.
      const wasRash = hasBegun && isHeld && judged.verdict.state === 'down' && judged.verdict.by === 'probes'
      const before = wasRash ? firstVerdict(nowMs) : judged.verdict
      const next = nextVerdict(before, evidence, holdOffOf(judged.origin), nowMs)
      if (next.state !== judged.verdict.state) {
        isNews = true
        this.#tell(judged, next)
      }
      judged.verdict = next
    }
    this.#renew(isNews)
  }

  #hearOf(judged: Judged, nowMs: number): Heard {
    const { origin, verdict } = judged
    const standings = this.#probes.standingsOf(origin.id)
    const probes = findingOf(standings)
    const isDoubted = verdict.state !== 'up'
    // Of one that all is well with, edges are not looked at one by one.
    const isLookedAt = isDoubted || probes === 'down' || this.#outcomes.hasFailures(origin.id, nowMs)
    const view = isLookedAt ? this.#outcomes.viewOf(origin.id, nowMs) : NOTHING_SEEN
    const alive = view.failing === 0 ? NOBODY : this.#aliveAt(nowMs)
    const word = edgesWord(view, { isDoubted, isProbedGood: probes === 'up', alive })
    if (view.failed > 0) judged.failedAtMs = nowMs
    if (word === 'serving') judged.vouchedUntilMs = nowMs + VOUCHED_MS
    else if (word !== 'nothing') judged.vouchedUntilMs = -Infinity
    const ownWord = isOwnWord(standings)
    const isVouched = probes === 'down' && !ownWord && nowMs < judged.vouchedUntilMs
    return { probes, isOwnWord: ownWord, word, isVouched }
  }

  #aliveAt(nowMs: number): Listeners {
    const alive = this.#edges.filter(({ index }) => isAlive(this.#reports[index], nowMs))
    return { edges: alive.length, sites: new Set(alive.map(({ siteId }) => siteId)).size }
  }

  /** The panic rule: probes that lose most origins at once are wrong sooner than all of those are gone. */
  #hold(heard: readonly Heard[], nowMs: number): MassFailureChange | null {
    const probed = heard.filter(({ probes }) => probes !== 'unknown').length
    const isHolding = this.#gate.hold !== null
    if (probed < HELD_OF_AT_LEAST && !isHolding) return null
    const before = this.held
    const change = this.#gate.judge(heard.map(findingFor), nowMs)
    if (change === null) return null
    const { log } = this.#deps
    const about = { origins: Math.max(before, this.held) }
    if (change === 'begins') log.error(about, 'probes lost most origins at once: the last verdicts are held')
    else if (change === 'recovered') log.info(about, 'probes reach origins again: no verdict is held')
    else log.error(about, 'probes have not reached most origins for long: they are believed now')
    return change
  }

  #tell({ origin }: Judged, { state, by }: Verdict): void {
    const { log, onVerdict } = this.#deps
    onVerdict(origin.id, state)
    const about = {
      origin: origin.id,
      by,
      edges: this.#outcomes.viewOf(origin.id, this.#deps.clock.monotonic()),
    }
    if (state === 'down') log.warn(about, 'origin is down: no edge asks it')
    else if (state === 'returning')
      log.info(about, 'origin returns: a growing share of its requests goes to it')
    else log.info(about, 'origin is up')
  }

  #renew(isNews = false): void {
    const nowMs = this.#deps.clock.monotonic()
    const guidance = Object.fromEntries(
      this.#judged.flatMap((judged) => {
        const { origin, verdict } = judged
        if (verdict.state === 'up') return []
        const probed = this.#isWatched(judged, nowMs)
        return [[origin.id, { state: verdict.state, share: shareOf(verdict, nowMs), probed }]]
      }),
    )
    const text = JSON.stringify(guidance)
    if (text === this.#guidanceText) return
    this.#guidance = guidance
    this.#guidanceText = text
    this.onChange?.(isNews)
  }

  /**
   * Whether its probes alone are to tell when it is back. Not where they merely did not get there and no edge has said
   * the same of late: this machine may be what is cut off, and edges with no other origin may try.
   */
  #isWatched({ origin, verdict, failedAtMs }: Judged, nowMs: number): boolean {
    if (verdict.by !== 'probes') return false
    return isOwnWord(this.#probes.standingsOf(origin.id)) || nowMs - failedAtMs < CORROBORATED_MS
  }
}

const UNHEARD: Heard = { probes: 'unknown', isOwnWord: false, word: 'nothing', isVouched: false }

const NOBODY: Listeners = { edges: 0, sites: 0 }

function firstJudged(nowMs: number): Omit<Judged, 'origin'> {
  return { verdict: firstVerdict(nowMs), vouchedUntilMs: -Infinity, failedAtMs: -Infinity }
}

function isAlive(seen: SeenReport | undefined, nowMs: number): boolean {
  return seen !== undefined && ageOf(seen, nowMs) <= DOWN_AFTER_MS
}

/** Long enough for its probes to find out. */
function holdOffOf({ health }: ClusterOriginSettings): number {
  return health === undefined
    ? HOLD_OFF_MS
    : Math.max(HOLD_OFF_MS, health.fall * (health.every + health.timeout))
}

function findingFor({ probes, word, isVouched }: Heard): Finding {
  // Edges say the same: nothing to be held.
  if (probes === 'unknown' || word === 'failing') return 'none'
  if (probes === 'up') return 'good'
  return isVouched ? 'vouched' : 'bad'
}
