// The GeoIP files of a configuration while a daemon runs: looked at again and again, loaded aside when one has changed,
// and put in the place of the old ones as a whole. A file that is broken, half written or gone changes nothing: the
// old one answers on, and the files are tried again when they change.
import { Counter } from 'prom-client'
import type { Registry } from 'prom-client'
import { messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { PLACES_POLL_MS } from './limits.ts'
import { loadPlaces, stampOfFile } from './places.ts'
import type { LoadedPlaces, PlaceFiles } from './places.ts'

export const RELOAD_RESULTS = ['replaced', 'failed'] as const

export type ReloadResult = (typeof RELOAD_RESULTS)[number]

export interface WatchedPlacesDeps {
  log: Logger
  /** Is told of each attempt. */
  onReload?: (result: ReloadResult) => void
  everyMs?: number
}

export class WatchedPlaces {
  /** Those in use. */
  current: LoadedPlaces
  /** Is given new ones when they have taken their place here. */
  onReplace: ((places: LoadedPlaces) => void) | null = null
  readonly #files: PlaceFiles
  readonly #deps: WatchedPlacesDeps
  readonly #timer: NodeJS.Timeout
  /** Of the last attempt, good or bad. */
  #stamp: string
  #running: Promise<void> | null = null
  #closed = false

  constructor(files: PlaceFiles, first: LoadedPlaces, deps: WatchedPlacesDeps) {
    this.#files = files
    this.current = first
    this.#deps = deps
    this.#stamp = stampOfLoaded(files, first)
    this.#timer = setInterval(() => void this.check(), deps.everyMs ?? PLACES_POLL_MS)
    this.#timer.unref()
  }

  /** Loads what has changed. Never fails. */
  check(): Promise<void> {
    this.#running ??= this.#run(false).finally(() => (this.#running = null))
    return this.#running
  }

  /** Tries again what has failed, although nothing has changed since: for an operator who asks for it. */
  async reload(): Promise<void> {
    await this.#running
    this.#running = this.#run(true).finally(() => (this.#running = null))
    return this.#running
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
  }

  async #run(always: boolean): Promise<void> {
    const { log, onReload } = this.#deps
    const names = namesOf(this.#files)
    const stamp = (await Promise.all(names.map(stampOfFile))).join('\n')
    if (stamp === (always ? stampOfLoaded(this.#files, this.current) : this.#stamp)) return
    this.#stamp = stamp
    try {
      const next = await loadPlaces(this.#files, this.current)
      if (this.#closed) return
      this.current = next
      this.#stamp = stampOfLoaded(this.#files, next)
      this.onReplace?.(next)
      onReload?.('replaced')
      log.info({ files: names }, 'GeoIP files replaced')
    } catch (error) {
      onReload?.('failed')
      log.error(`GeoIP files not replaced, the old ones answer on: ${messageOf(error)}`)
    }
  }
}

/** Only the operator's: the one that comes with Edgeward changes with Edgeward. */
function namesOf({ city, country, asn }: PlaceFiles): string[] {
  return [...city, ...country, ...asn]
}

function stampOfLoaded({ city, country, asn }: PlaceFiles, { places, asns }: LoadedPlaces): string {
  return [...city, ...country]
    .map((file) => places.get(file)?.stamp)
    .concat(asn.map((file) => asns.get(file)?.stamp))
    .join('\n')
}

/** `edgeward_<daemon>_geoip_reloads_total`; gives what counts. */
export function countReloads(
  registry: Registry,
  daemon: 'edge' | 'scheduler',
): (result: ReloadResult) => void {
  const reloads = new Counter({
    name: `edgeward_${daemon}_geoip_reloads_total`,
    help: 'Changes of GeoIP files: taken over, or failed so that the old ones answer on.',
    labelNames: ['result'] as const,
    registers: [registry],
  })
  for (const result of RELOAD_RESULTS) reloads.inc({ result }, 0)
  return (result) => reloads.inc({ result })
}
