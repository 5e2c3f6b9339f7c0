// Reports come past the service that has all other routes: of a thousand edges they are a thousand requests a second, and
// what a service makes for each takes several times as long as taking the report (docs/decisions/0024).
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../src/clock.ts'
import { dateSource } from '../../src/http/date.ts'
import { ReportConnection } from './report-connection.ts'
import type { ReportHost } from './report-connection.ts'

const SWEEP_MS = 1000

/** Owns the connections of `server` until they are closed or handed over to it, and a timer; `close` ends both. */
export class ReportConnections {
  readonly #connections = new Set<ReportConnection>()
  readonly #sweep: NodeJS.Timeout
  #isClosed = false

  /** From now on connections come here first. */
  constructor(server: Server, clock: Clock, { take, topology }: Pick<ReportHost, 'take' | 'topology'>) {
    const service = server.listeners('connection')
    server.removeAllListeners('connection')
    const host: ReportHost = {
      take,
      topology,
      date: dateSource(() => clock.now()),
      monotonic: () => clock.monotonic(),
      handOver(socket) {
        for (const listener of service) Reflect.apply(listener, server, [socket])
        socket.resume()
      },
      closed: (connection) => this.#connections.delete(connection),
    }
    server.on('connection', (socket: Socket) => {
      if (this.#isClosed) socket.destroy()
      else this.#connections.add(new ReportConnection(socket, host))
    })
    this.#sweep = setInterval(() => {
      const nowMs = clock.monotonic()
      for (const connection of this.#connections) connection.checkDeadline(nowMs)
    }, SWEEP_MS)
    this.#sweep.unref()
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#sweep)
    for (const connection of this.#connections) connection.end()
  }
}
