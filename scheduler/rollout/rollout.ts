// Rolls configurations out: checks a changed file, makes it a version, runs it and tells edges and other schedulers; runs
// what others made current; goes back. One at a time. What cannot be run changes nothing, and is told with its reason.
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import type { SchedulerConfig } from '../../src/config/load.ts'
import { changedKeys, ownValuesOf } from '../../src/config/own-keys.ts'
import type { OwnValues } from '../../src/config/own-keys.ts'
import { messageOf } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import { CONFIG_HELD_MS } from '../../src/wire/events.ts'
import type { ConfigAsker, ConfigVersion } from '../../src/wire/config-rollout.ts'
import type { EventLog } from '../events/event-log.ts'
import { CONFIG_APPEND_ATTEMPTS_MAX } from '../limits.ts'
import { ConfigReader } from './config-reader.ts'
import { identified } from './read-config.ts'
import type { ReadConfig } from './read-config.ts'
import { failureOf } from './rollout-result.ts'
import type { RolloutOutcome, RolloutResult } from './rollout-result.ts'
import { standingOfFile } from './standing-of-file.ts'
import { NotKeptError } from './version-store.ts'
import type { NewVersion, VersionStore } from './version-store.ts'

/** Prepares it, and gives what runs it from then on. Rejects when it cannot be run after all. */
export type Prepare = (config: ReadConfig) => Promise<() => void>

export interface RolloutDeps {
  readonly store: VersionStore
  readonly events: EventLog
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly log: Logger
  readonly background: Background
  /** Told of each attempt. */
  readonly onResult: (outcome: RolloutOutcome) => void
}

export interface RunningVersion {
  /** null: the shared store does not know it yet. */
  readonly version: ConfigVersion | null
  readonly hash: string
  readonly digest: string
  /** Milliseconds since the epoch. */
  readonly sinceMs: number
}

/** Cannot be run here, by whatever made it current. */
export interface RefusedVersion {
  readonly version: number
  readonly reason: string
}

interface Appendable extends NewVersion {
  readonly packed: Buffer
}

export class Rollout {
  readonly reader: ConfigReader
  readonly #deps: RolloutDeps
  #ownValues: OwnValues
  #prepare: Prepare = () => Promise.reject(new Error('the scheduler does not run yet'))
  #running: RunningVersion
  /** What runs, until it is a version. */
  #unplaced: Appendable | null = null
  #refused: RefusedVersion | null = null
  readonly #waiting = new Set<() => void>()
  #turn: Promise<unknown> = Promise.resolve()
  #heard = ''
  /** By this scheduler. */
  #announcing: number | null = null
  #stopHearing: () => void = () => {}

  /** `started`: the file with which the scheduler was started. */
  constructor(started: SchedulerConfig, deps: RolloutDeps) {
    this.reader = new ConfigReader(started, deps.env)
    this.#deps = deps
    this.#ownValues = ownValuesOf(started.settings)
    this.#running = { version: null, hash: '', digest: '', sinceMs: deps.clock.now() }
  }

  get running(): RunningVersion {
    return this.#running
  }

  /** null: what is current in the cluster runs here. */
  get refused(): RefusedVersion | null {
    return this.#refused
  }

  /** What is kept, oldest first. */
  get versions(): readonly ConfigVersion[] {
    return this.#deps.store.versions() ?? []
  }

  /** What a start runs: its file, or what is current in the cluster where the file is older. */
  async begin(started: SchedulerConfig): Promise<ReadConfig> {
    const { store, log } = this.#deps
    const config = identified(started)
    this.#note(config, null, 'start')
    await this.#place()
    const current = store.versions()?.at(-1)
    const { version } = this.#running
    if (version === null || current === undefined || version.number === current.number) return config
    const about = { file: config.file, version: version.number, current: current.number }
    log.warn(about, 'the file is an older configuration of the cluster: the current one is run')
    try {
      const newer = await this.#load(current.number)
      this.#ownValues = ownValuesOf(newer.settings)
      this.#note(newer, current)
      return newer
    } catch (error) {
      this.#refuse(current.number, error)
      return config
    }
  }

  /** From now on, as the scheduler runs, and until `close`. */
  follow(prepare: Prepare): void {
    const { events, store } = this.#deps
    this.#prepare = prepare
    this.#heard = events.after('').last
    this.#stopHearing = events.onAppend(() => this.#hear())
    store.onChange = () => this.#catchUpSoon(false)
    this.#catchUpSoon(false)
  }

  close(): void {
    this.#stopHearing()
    this.#deps.store.close()
    for (const wake of this.#waiting) wake()
  }

  /** The file as it is on the disk now. */
  apply(by: Exclude<ConfigAsker, 'start'>): Promise<RolloutResult> {
    return this.#attempt(async () => {
      const config = await this.reader.fromFile()
      const standing = standingOfFile(config.hash, this.#deps.store.versions() ?? [])
      // A signal is also sent for new certificates: it must not undo what an operator has rolled back.
      if (by === 'signal' && standing.is === 'older') {
        return { outcome: 'older', version: standing.version.number }
      }
      return this.#makeCurrent(config, by, null)
    })
  }

  rollback(number: number): Promise<RolloutResult> {
    return this.#attempt(async () => {
      await this.#deps.store.refresh()
      if (this.#deps.store.sourceOf(number) === undefined) {
        return { outcome: 'unknown-version', version: number }
      }
      return this.#makeCurrent(await this.#load(number), 'api', number)
    })
  }

  /** Resolves when this version runs here, or cannot, or after CONFIG_HELD_MS. */
  async untilRuns(number: number): Promise<void> {
    const judged = Math.max(this.#running.version?.number ?? 0, this.#refused?.version ?? 0)
    if (judged >= number) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, CONFIG_HELD_MS)
    this.#waiting.add(resolve)
    await promise
    clearTimeout(timer)
    this.#waiting.delete(resolve)
  }

  async #attempt(work: () => Promise<RolloutResult>): Promise<RolloutResult> {
    const result = await this.#inTurn(() => work().catch(failureOf))
    this.#deps.onResult(result.outcome)
    return result
  }

  async #makeCurrent(config: ReadConfig, by: ConfigAsker, rollbackTo: number | null): Promise<RolloutResult> {
    const keys = changedKeys(this.#ownValues, ownValuesOf(config.settings))
    if (keys.length > 0) return { outcome: 'restart', keys }
    const { version: before, hash, digest } = this.#running
    const isSame = config.hash === hash && config.digest === digest
    if (before !== null && isSame) return { outcome: 'unchanged', version: before.number }
    const run = await this.#prepare(config)
    const { version } = await this.#append(appendableOf(config, by, rollbackTo))
    run()
    this.#note(config, version)
    await this.#announce(version.number)
    return { outcome: version.number === before?.number ? 'reread' : 'applied', version: version.number }
  }

  /** Where it is current already, that is the version. */
  async #append({ packed, ...added }: Appendable): Promise<{ version: ConfigVersion; isNew: boolean }> {
    const { store } = this.#deps
    for (let attempt = 0; attempt < CONFIG_APPEND_ATTEMPTS_MAX; attempt += 1) {
      const versions = store.versions()
      if (versions === null) throw new NotKeptError('they were not read yet')
      const current = versions.at(-1)
      if (current?.hash === added.hash) return { version: current, isNew: false }
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      const version = await store.append(added, packed, current?.number ?? 0)
      if (version !== null) return { version, isNew: true }
      // oxlint-disable-next-line no-await-in-loop
      await store.refresh()
    }
    throw new NotKeptError('other schedulers change them all the time')
  }

  /** Finds which version it is that runs; what is none yet becomes one. While the store is away, neither. */
  async #place(): Promise<void> {
    const { store, log } = this.#deps
    const versions = store.versions()
    if (this.#unplaced === null || versions === null) return
    const standing = standingOfFile(this.#unplaced.hash, versions)
    try {
      const placed =
        standing.is === 'unknown'
          ? await this.#append(this.#unplaced)
          : { version: standing.version, isNew: false }
      this.#running = { ...this.#running, version: placed.version }
      this.#unplaced = null
      if (placed.isNew && placed.version.number > 1) await this.#announce(placed.version.number)
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'the configuration is no version yet')
    }
  }

  /** Edges and other schedulers hear at once; where that fails, by reports and by reads of the store. */
  async #announce(version: number): Promise<void> {
    this.#announcing = version
    try {
      await this.#deps.events.append({ kind: 'config', version })
    } catch (error) {
      const reason = messageOf(error)
      this.#deps.log.warn({ version, reason }, 'no event tells of the configuration: it is heard of later')
    } finally {
      this.#announcing = null
    }
  }

  #hear(): void {
    for (;;) {
      const { events, last } = this.#deps.events.after(this.#heard)
      this.#heard = last
      if (events.length === 0) return
      const told = events.findLast((event) => event.kind === 'config')
      if (told?.kind !== 'config' || told.version === this.#announcing) continue
      // A number that runs already: files that it refers to have changed.
      this.#catchUpSoon(told.version === this.#running.version?.number)
    }
  }

  #catchUpSoon(isReread: boolean): void {
    const work = this.#inTurn(() => this.#catchUp(isReread))
    this.#deps.background('follow the configuration of the cluster', work)
  }

  /** Runs what is current in the cluster. */
  async #catchUp(isReread: boolean): Promise<void> {
    const { store, log } = this.#deps
    await store.refresh()
    await this.#place()
    const current = store.versions()?.at(-1)
    const { version, digest } = this.#running
    if (current === undefined || version === null) return
    const isKnown = current.number <= version.number || current.number === this.#refused?.version
    if (isKnown && !isReread) return
    try {
      const config = await this.#load(current.number)
      const keys = changedKeys(this.#ownValues, ownValuesOf(config.settings))
      if (keys.length > 0) throw new Error(`needs a restart: ${keys.join(', ')}`)
      if (config.digest !== digest) (await this.#prepare(config))()
      this.#note(config, current)
      log.info({ version: current.number, by: current.by }, 'configuration of the cluster applied')
    } catch (error) {
      this.#refuse(current.number, error)
    }
  }

  async #load(number: number): Promise<ReadConfig> {
    const kept = this.#deps.store.sourceOf(number)
    if (kept === undefined) throw new Error('it is not kept any more')
    return this.reader.ofVersion(number, kept)
  }

  /** It runs. `version` null: it is none yet, and becomes one by whoever asked. */
  #note(config: ReadConfig, version: ConfigVersion | null, by: ConfigAsker = 'api'): void {
    const { hash, digest } = config
    this.#running = { version, hash, digest, sinceMs: this.#deps.clock.now() }
    this.#unplaced = version === null ? appendableOf(config, by, null) : null
    if (version !== null) this.#refused = null
    for (const wake of this.#waiting) wake()
  }

  #refuse(version: number, error: unknown): void {
    const reason = messageOf(error)
    this.#refused = { version, reason }
    this.#deps.log.error({ version, reason }, 'the configuration of the cluster cannot be run here')
    for (const wake of this.#waiting) wake()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    // Whoever asked hears of a failure; those behind take their turn.
    this.#turn = done.catch(() => {})
    return done
  }
}

function appendableOf(config: ReadConfig, by: ConfigAsker, rollbackTo: number | null): Appendable {
  return {
    hash: config.hash,
    by,
    rollbackTo,
    edgeVersion: config.version,
    packed: config.packed,
  }
}
