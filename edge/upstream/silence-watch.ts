// Watches one upstream while heads are awaited from it. Where packets vanish nothing ever fails, until timeouts that are
// long because an origin may be slow: so when nothing at all has come for a second, a connection beside those requests
// finds out whether it is there.
import net from 'node:net'
import type { Clock } from '../../src/clock.ts'
import { SILENCE_CONNECT_MS, SILENCE_MS } from '../limits.ts'

interface Waiting {
  readonly sinceMs: number
  readonly onSilent: () => void
}

export class SilenceWatch {
  readonly #host: string
  readonly #port: number
  readonly #clock: Clock
  /** Once each time that it is found gone, before those that wait hear of it. */
  readonly #onGone: () => void
  readonly #waiting = new Set<Waiting>()
  #heardMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null
  #socket: net.Socket | null = null

  /** `origin`: `http://host:port`. */
  constructor(origin: string, clock: Clock, onGone: () => void) {
    const { protocol, hostname, port } = new URL(origin)
    this.#host = hostname.replace(/^\[|\]$/g, '')
    this.#port = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
    this.#clock = clock
    this.#onGone = onGone
  }

  /** A head is awaited from now on, until the function that is given back is called; `onSilent` is, once, if it is gone. */
  await(onSilent: () => void): () => void {
    const waiting = { sinceMs: this.#clock.monotonic(), onSilent }
    this.#waiting.add(waiting)
    if (this.#timer === null && this.#socket === null) this.#lookIn(SILENCE_MS)
    return () => this.#waiting.delete(waiting)
  }

  /** Something came from it. */
  heard(): void {
    this.#heardMs = this.#clock.monotonic()
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#socket?.destroy()
    this.#waiting.clear()
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#look()
    }, ms)
    this.#timer.unref()
  }

  #look(): void {
    const [oldest] = this.#waiting
    if (oldest === undefined) return
    const quietMs = this.#clock.monotonic() - Math.max(oldest.sinceMs, this.#heardMs)
    if (quietMs < SILENCE_MS) this.#lookIn(Math.max(1, SILENCE_MS - quietMs))
    else this.#knock()
  }

  #knock(): void {
    const begunMs = this.#clock.monotonic()
    const socket = net.connect({ host: this.#host, port: this.#port, timeout: SILENCE_CONNECT_MS })
    this.#socket = socket
    const done = (isThere: boolean) => {
      if (this.#socket !== socket) return
      this.#socket = null
      socket.destroy()
      if (isThere) this.heard()
      else if (this.#heardMs < begunMs) this.#gone(begunMs)
      if (this.#waiting.size > 0) this.#lookIn(SILENCE_MS)
    }
    socket.once('connect', () => done(true))
    // Where this process stood still, the connection may be there: what the kernel has is heard of behind the timers.
    socket.once('timeout', () => setImmediate(() => done(false)))
    // A refusal is an answer too: the requests themselves will fail in their own way.
    socket.once('error', () => done(true))
    socket.unref()
  }

  #gone(begunMs: number): void {
    this.#onGone()
    for (const waiting of this.#waiting) {
      if (waiting.sinceMs > begunMs) continue
      this.#waiting.delete(waiting)
      waiting.onSilent()
    }
  }
}
