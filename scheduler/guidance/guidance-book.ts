// What edges are told at run time, by site and ready to be sent: tiers, secrets, verdicts on origins. A site's tiers are
// made anew only when an edge that they may hold has changed, some sites a turn. Owns a timer.
import type { Clock } from '../../src/clock.ts'
import type { Guidance } from '../../src/wire/guidance.ts'
import type { ReportReply } from '../../src/wire/report.ts'
import type { SnapshotSource } from '../snapshot.ts'
import type { SiteView, Topology } from '../topology.ts'
import { NO_FILLER, fillerOf, isSameFiller } from './filler.ts'
import type { Filler } from './filler.ts'
import type { FillPlan } from './fill-plan.ts'
import { GUIDANCE_TICK_MS, SETTLED_AFTER_MS, SITES_PER_TURN } from './limits.ts'
import type { SecretStore } from './secret-store.ts'
import { chainsAt, digestOf } from './site-guidance.ts'

export interface GuidanceDeps {
  readonly topology: Topology
  readonly plan: FillPlan
  readonly snapshots: SnapshotSource
  /** The verdicts of now. */
  readonly origins: { readonly guidance: Guidance['origins'] }
  readonly secrets: SecretStore
  /** Told in the reply to a report beside the version of guidance. */
  readonly configVersion: string
  readonly clock: Clock
}

/** The same for all sites. */
interface Shared {
  /** `"secrets":…,"origins":…` */
  readonly text: string
  readonly digest: string
}

interface Tiers {
  /** `"edges":…,"chains":…` */
  readonly text: string
  readonly digest: string
}

interface SiteEntry {
  readonly site: SiteView
  /** null before they were made. */
  tiers: Tiers | null
  /** An edge that they may hold has changed. */
  isStale: boolean
  /** Made from what is given here. */
  ready: {
    readonly shared: Shared
    readonly tiers: Tiers
    readonly version: string
    readonly reply: string
  } | null
  /** Digest of the tiers that whoever waited was told of. */
  told: string
  readonly listeners: Set<() => void>
}

export class GuidanceBook {
  readonly #deps: GuidanceDeps
  readonly #entries: readonly SiteEntry[]
  readonly #bySite: ReadonlyMap<string, SiteEntry>
  readonly #unsettledReply: string
  readonly #timer: NodeJS.Timeout
  readonly #startedAtMs: number
  #fillers: readonly Filler[]
  #shared: Shared
  /** To be looked at in the next turns; `true`: whoever waits is told in any case. */
  readonly #due = new Map<SiteEntry, boolean>()
  #turn: NodeJS.Immediate | null = null
  #isSettled: boolean
  #closed = false

  /** `before`: of the configuration before. */
  constructor(deps: GuidanceDeps, before?: GuidanceBook) {
    const { topology, clock, configVersion } = deps
    this.#deps = deps
    this.#entries = topology.sites.map((site) => ({
      site,
      tiers: null,
      isStale: false,
      ready: null,
      told: '',
      listeners: new Set(),
    }))
    this.#bySite = new Map(this.#entries.map((entry) => [entry.site.id, entry]))
    this.#unsettledReply = JSON.stringify({ configVersion } satisfies ReportReply)
    this.#startedAtMs = before === undefined ? clock.monotonic() : before.#startedAtMs
    this.#isSettled = before !== undefined && before.#isSettled
    this.#fillers = topology.edges.map(() => NO_FILLER)
    this.#shared = this.#makeShared()
    this.#look()
    this.#timer = setInterval(() => this.#look(), GUIDANCE_TICK_MS)
    this.#timer.unref()
  }

  /**
   * undefined while it is not known yet which edges there are: a scheduler that has just started would take the peers
   * from edges that have some.
   */
  versionAt(siteId: string): string | undefined {
    const entry = this.#bySite.get(siteId)
    return entry === undefined || !this.#isSettled ? undefined : this.#readyOf(entry).version
  }

  /** The reply to a report, as text. */
  reportReplyAt(siteId: string): string {
    const entry = this.#bySite.get(siteId)
    return entry === undefined || !this.#isSettled ? this.#unsettledReply : this.#readyOf(entry).reply
  }

  /** The whole, as text, with its version. */
  guidanceAt(siteId: string): { version: string; text: string } | undefined {
    const entry = this.#bySite.get(siteId)
    if (entry === undefined || !this.#isSettled) return undefined
    const { version, shared, tiers } = this.#readyOf(entry)
    const front = `"version":${JSON.stringify(version)},"site":${JSON.stringify(siteId)}`
    return { version, text: `{${front},${shared.text},${tiers.text}}` }
  }

  /** Called when the edges of a site are to hear of it at once, until the returned function is called. */
  onNews(siteId: string, listener: () => void): () => void {
    const listeners = this.#bySite.get(siteId)?.listeners
    listeners?.add(listener)
    return () => listeners?.delete(listener)
  }

  /** Verdicts or secrets have changed. `isNews`: edges are told at once, and not with their next report. */
  renewShared(isNews: boolean): void {
    this.#shared = this.#makeShared()
    if (!isNews) return
    for (const entry of this.#entries) this.#due.set(entry, true)
    this.#goOn()
  }

  /** As edges stand now, by `EdgeView.index`. */
  get fillers(): readonly Filler[] {
    return this.#fillers
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    if (this.#turn !== null) clearImmediate(this.#turn)
    // Who waits asks the next one.
    for (const { listeners } of this.#entries) for (const listener of listeners) listener()
  }

  #look(): void {
    const { topology, snapshots, plan, clock } = this.#deps
    const nowMs = clock.monotonic()
    const snapshot = snapshots.current
    const before = this.#fillers
    this.#fillers = topology.edges.map((edge) => {
      const was = before[edge.index] ?? NO_FILLER
      const filler = fillerOf(edge, snapshot, nowMs)
      if (isSameFiller(filler, was)) return was
      const site = this.#bySite.get(edge.siteId)?.site
      for (const asker of site === undefined ? [] : (plan.askers[site.index] ?? [])) this.#mark(asker)
      return filler
    })
    if (!this.#isSettled) this.#settle(nowMs)
    this.#goOn()
  }

  #mark({ index }: SiteView): void {
    const entry = this.#entries[index]
    if (entry === undefined) return
    entry.isStale = true
    if (!this.#due.has(entry)) this.#due.set(entry, false)
  }

  #settle(nowMs: number): void {
    const isAllThere = this.#fillers.every(({ isAlive }) => isAlive)
    if (!isAllThere && nowMs - this.#startedAtMs < SETTLED_AFTER_MS) return
    this.#isSettled = true
    for (const entry of this.#entries) this.#due.set(entry, true)
  }

  #goOn(): void {
    if (this.#closed || this.#due.size === 0) return
    this.#turn ??= setImmediate(() => {
      this.#turn = null
      for (const [entry, isNews] of [...this.#due].slice(0, SITES_PER_TURN)) {
        this.#due.delete(entry)
        this.#renew(entry, isNews)
      }
      this.#goOn()
    })
  }

  #renew(entry: SiteEntry, isNews: boolean): void {
    const { digest } = this.#tiersOf(entry)
    if (digest === entry.told && !isNews) return
    entry.told = digest
    if (this.#isSettled) for (const listener of entry.listeners) listener()
  }

  #readyOf(entry: SiteEntry): NonNullable<SiteEntry['ready']> {
    const shared = this.#shared
    const tiers = this.#tiersOf(entry)
    if (entry.ready?.shared === shared && entry.ready.tiers === tiers) return entry.ready
    const version = `${tiers.digest}.${shared.digest}`
    const { configVersion } = this.#deps
    const reply = JSON.stringify({ configVersion, guidanceVersion: version } satisfies ReportReply)
    return (entry.ready = { shared, tiers, version, reply })
  }

  /** In its turn, or before it for who asks. */
  #tiersOf(entry: SiteEntry): Tiers {
    if (entry.tiers === null || entry.isStale) entry.tiers = this.#makeTiers(entry.site)
    entry.isStale = false
    return entry.tiers
  }

  #makeTiers(site: SiteView): Tiers {
    const { edges, chains } = chainsAt(site, this.#deps.plan, this.#fillers)
    const text = `"edges":${JSON.stringify(edges)},"chains":${JSON.stringify(chains)}`
    return { text, digest: digestOf(text) }
  }

  #makeShared(): Shared {
    const { origins, secrets } = this.#deps
    const text = `"secrets":${JSON.stringify(secrets.current())},"origins":${JSON.stringify(origins.guidance)}`
    return { text, digest: digestOf(text) }
  }
}
