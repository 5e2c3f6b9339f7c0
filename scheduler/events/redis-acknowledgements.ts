// Acknowledgements on their way into Redis: gathered for a moment, written as one entry, and kept while it is away.
// Nobody waits for them.
import type { Background } from '../../src/background.ts'
import type { Clock } from '../../src/clock.ts'
import {
  ACKNOWLEDGEMENTS_UNWRITTEN_MAX,
  ACKNOWLEDGEMENTS_WRITE_AFTER_MS,
  ACKNOWLEDGEMENT_ENTRIES_MAX,
  EVENTS_READ_AT_ONCE,
} from '../limits.ts'
import type { RedisLink } from '../registry/redis-link.ts'
import { acknowledgementFields } from './redis-entries.ts'

interface Said {
  readonly edge: string
  readonly id: string
  readonly receivedAtMs: number
}

export interface AcknowledgementsDeps {
  readonly link: RedisLink
  readonly key: string
  readonly clock: Clock
  readonly background: Background
}

export class AcknowledgementWriter {
  readonly #deps: AcknowledgementsDeps
  /** The last of each edge, so that it is not said again with every question of an edge. */
  readonly #said = new Map<string, Said>()
  #unwritten: Said[] = []
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<void> | null = null
  #closed = false

  constructor(deps: AcknowledgementsDeps) {
    this.#deps = deps
  }

  add(edge: string, id: string): void {
    if (this.#said.get(edge)?.id === id) return
    const said = { edge, id, receivedAtMs: this.#deps.clock.monotonic() }
    this.#said.set(edge, said)
    this.#unwritten.push(said)
    if (this.#unwritten.length > ACKNOWLEDGEMENTS_UNWRITTEN_MAX) this.#unwritten.shift()
    this.schedule()
  }

  /** A store that was away may have lost what it had taken. */
  repeat(): void {
    const waiting = new Set(this.#unwritten)
    const repeated = [...this.#said.values()].filter((said) => !waiting.has(said))
    this.#unwritten = [...repeated, ...this.#unwritten].slice(-ACKNOWLEDGEMENTS_UNWRITTEN_MAX)
    this.schedule()
  }

  /** Also when there is a connection again. */
  schedule(): void {
    if (this.#unwritten.length === 0 || this.#closed) return
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      // The end of one that is under way asks for the next.
      if (this.#writing !== null) return
      this.#writing = this.#write().finally(() => (this.#writing = null))
      this.#deps.background('write acknowledgements', this.#writing)
    }, ACKNOWLEDGEMENTS_WRITE_AFTER_MS)
  }

  /** Writes what is left, in bounded time. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#writing
    await this.#write()
  }

  async #write(): Promise<void> {
    const { link, key, clock } = this.#deps
    const batch = link.checkReady() ? this.#unwritten.splice(0, EVENTS_READ_AT_ONCE) : []
    try {
      if (batch.length === 0) return
      const nowMs = clock.monotonic()
      const stored = batch.map(({ edge, id, receivedAtMs }) => ({ edge, id, agoMs: nowMs - receivedAtMs }))
      const fields = acknowledgementFields(stored)
      const max = ACKNOWLEDGEMENT_ENTRIES_MAX
      await link.inTime(link.client.pipeline().xadd(key, 'MAXLEN', '~', max, '*', ...fields))
      // What came meanwhile, or was too much for one entry.
      this.schedule()
    } catch {
      // Written when Redis is back, or with the next one; the log that reads has said why.
      this.#unwritten.unshift(...batch)
    }
  }
}
