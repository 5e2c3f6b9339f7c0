// Who of the TCP connections is answered next: a few queries of each in turn, and so many in one turn of the event loop
// that UDP and reports never wait long, whatever is sent ahead on however many connections.
import { TCP_QUERIES_A_TURN, TCP_QUERIES_OF_ONE } from '../limits.ts'
import type { TcpConnection } from './tcp-connection.ts'

export class TcpTurns {
  /** Those with a query that waits, in the order of their turns. */
  readonly #waiting = new Set<TcpConnection>()
  #next: NodeJS.Immediate | null = null

  add(connection: TcpConnection): void {
    this.#waiting.add(connection)
    this.#next ??= setImmediate(() => this.#run())
  }

  delete(connection: TcpConnection): void {
    this.#waiting.delete(connection)
  }

  close(): void {
    if (this.#next !== null) clearImmediate(this.#next)
    this.#waiting.clear()
  }

  #run(): void {
    this.#next = null
    let left = TCP_QUERIES_A_TURN
    for (const connection of this.#waiting) {
      // One with more to answer adds itself again, behind the others.
      this.#waiting.delete(connection)
      left -= connection.answer(Math.min(left, TCP_QUERIES_OF_ONE))
      if (left <= 0) break
    }
    if (this.#waiting.size > 0) this.#next ??= setImmediate(() => this.#run())
  }
}
