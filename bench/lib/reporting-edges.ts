// Edges that only report: each over a connection of its own, once a second, all of them spread evenly over it. Owns
// the connections; `close` ends them.
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../../src/clock.ts'
import { REPORT_EVERY_MS } from '../../src/wire/report.ts'
import { keyOf, reportOf } from '../../test/kit/scheduler.ts'
import { numbers } from './made-places.ts'

const TICK_MS = 10
/** Connections that are made at once: fewer than a listener's queue. */
const CONNECTING_MAX = 100
const ACCEPTED = /^HTTP\/1\.1 200 /gm

interface Reporter {
  readonly id: string
  readonly socket: Socket
}

export class ReportingEdges {
  readonly #reporters: readonly Reporter[]
  readonly #host: string
  readonly #bandwidth: number
  readonly #timer: NodeJS.Timeout
  readonly #next = numbers(13)
  readonly #startedMs: number
  #sent = 0
  #accepted = 0
  #isHeld = false

  private constructor(reporters: readonly Reporter[], host: string, bandwidth: number) {
    this.#reporters = reporters
    this.#host = host
    this.#bandwidth = bandwidth
    for (const { socket } of reporters) socket.on('data', (text: string) => this.#count(text))
    this.#startedMs = systemClock.monotonic()
    this.#timer = setInterval(() => this.#report(), TICK_MS)
  }

  /** Edges of so many bits a second; resolves when each has reported. */
  static async start(control: string, ids: readonly string[], bandwidth: number): Promise<ReportingEdges> {
    const { host, hostname, port } = new URL(control)
    const reporters: Reporter[] = []
    for (let i = 0; i < ids.length; i += CONNECTING_MAX) {
      const made = ids.slice(i, i + CONNECTING_MAX).map(async (id) => {
        const socket = connect(Number(port), hostname).setEncoding('utf8').setNoDelay()
        await once(socket, 'connect')
        return { id, socket }
      })
      reporters.push(...(await Promise.all(made)))
    }
    const edges = new ReportingEdges(reporters, host, bandwidth)
    while (edges.accepted < ids.length) await delay(TICK_MS)
    return edges
  }

  /** Reports that the scheduler has taken. */
  get accepted(): number {
    return this.#accepted
  }

  close(): void {
    clearInterval(this.#timer)
    for (const { socket } of this.#reporters) socket.destroy()
  }

  /** Until what it gives is called no edge reports; what is due then is sent at once. */
  hold(): () => void {
    this.#isHeld = true
    return () => {
      this.#isHeld = false
    }
  }

  #report(): void {
    if (this.#isHeld) return
    const due = ((systemClock.monotonic() - this.#startedMs) / REPORT_EVERY_MS) * this.#reporters.length
    for (; this.#sent < due; this.#sent += 1) {
      const reporter = this.#reporters[this.#sent % this.#reporters.length]
      reporter?.socket.write(this.#requestOf(reporter.id))
    }
  }

  /** Lightly to well loaded. */
  #requestOf(id: string): string {
    const load = 0.1 + 0.5 * (this.#next() / 2 ** 32)
    const report = reportOf(id, {
      uptimeMs: 1e9 + this.#sent,
      connections: Math.round(load * 20_000),
      requestRate: load * 5000,
      sentBitRate: Math.round(load * this.#bandwidth),
      hitRatio: 0.97,
    })
    const body = JSON.stringify(report)
    return (
      `POST /edge/v1/report HTTP/1.1\r\nHost: ${this.#host}\r\nAuthorization: Bearer ${keyOf(id)}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    )
  }

  #count(text: string): void {
    this.#accepted += text.match(ACCEPTED)?.length ?? 0
  }
}
