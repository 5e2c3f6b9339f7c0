// A TCP forwarder: an address that leads to another, until the test closes it.
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { once } from 'node:events'
import { formatAuthority } from '../../src/net/listen.ts'
import { freePort } from './ports.ts'
import type { TestScope } from './scope.ts'

export class Forwarder {
  readonly host: string
  readonly port: number
  /** Port on 127.0.0.1. */
  target = 0
  readonly #open = new Set<Socket>()
  readonly #server = createServer((client) => {
    const server = connect({ host: '127.0.0.1', port: this.target })
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#open.add(from)
      // A half that breaks takes the other with it.
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#open.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })

  constructor(host: string, port: number) {
    this.host = host
    this.port = port
  }

  get authority(): string {
    return formatAuthority(this.host, this.port)
  }

  async open(): Promise<void> {
    this.#server.listen({ host: this.host, port: this.port })
    await once(this.#server, 'listening')
  }

  /** Refuses connections from now on; those that are open stay, as they do behind a firewall's new rule. */
  refuse(): void {
    if (this.#server.listening) this.#server.close()
  }

  /** Refuses connections, and ends those that are open. */
  close(): void {
    this.refuse()
    for (const socket of this.#open) socket.destroy()
  }
}

/** Closed with the test; not open yet. */
export async function prepareForwarder(
  t: TestScope,
  { host = '127.0.0.1', port }: { host?: '127.0.0.1' | '::1'; port?: number } = {},
): Promise<Forwarder> {
  const forwarder = new Forwarder(host, port ?? (await freePort(host)))
  t.teardown(() => forwarder.close())
  return forwarder
}
