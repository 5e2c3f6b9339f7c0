// A real redis-server on a free loopback port, empty and without persistence; ended when the test ends. Alone, or as
// a part of what redis-sentinel.ts and redis-cluster.ts put together.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import { formatAuthority } from '../../src/net/listen.ts'
import type { CertificateFiles } from './certificates.ts'
import { freePort } from './ports.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'

export interface RedisServerOptions {
  password?: string
  /** TLS instead of plain TCP. */
  tls?: CertificateFiles
  /** More of the command line. */
  args?: readonly string[]
  /** Where it listens; left out: 127.0.0.1. */
  host?: string
  /** Left out: one of its own. */
  directory?: string
  /** A sentinel by this configuration file. */
  sentinelFile?: string
}

const READY = /Ready to accept connections|Sentinel ID is/

export async function startRedis(t: TestScope, options: RedisServerOptions = {}): Promise<RedisServer> {
  // Replicas write a file, and a server that starts would load one.
  const directory = options.directory ?? (await tempDirectory(t))
  const server = new RedisServer(await freePort(), { ...options, directory })
  t.teardown(() => server.kill())
  await server.start()
  return server
}

export class RedisServer {
  readonly port: number
  /** Without the password. */
  readonly url: string
  readonly #host: string
  readonly #options: RedisServerOptions & { directory: string }
  #child: ChildProcess | null = null

  constructor(port: number, options: RedisServerOptions & { directory: string }) {
    this.port = port
    this.#host = options.host ?? '127.0.0.1'
    this.url = `${options.tls === undefined ? 'redis' : 'rediss'}://${formatAuthority(this.#host, port)}`
    this.#options = options
  }

  /** Starts a process, empty, always on the same port; resolves when it accepts connections. */
  async start(): Promise<void> {
    const child = spawn('redis-server', this.#args(), { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    let output = ''
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (READY.test(output)) resolve()
    })
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${output}`)))
    await promise
  }

  /** The process stands still while its connections stay open. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** A plain client of this very server, ended with the test. */
  client(t: TestScope): Redis {
    const { password } = this.#options
    const client = new Redis({
      host: this.#host,
      port: this.port,
      ...(password !== undefined && { password }),
    })
    // A test kills servers; what that breaks shows where a command is awaited.
    client.on('error', () => undefined)
    t.teardown(() => client.disconnect())
    return client
  }

  #args(): string[] {
    const { password, tls, directory, sentinelFile, args = [] } = this.#options
    const port = String(this.port)
    if (sentinelFile !== undefined) return [sentinelFile, '--sentinel', '--port', port, '--bind', this.#host]
    const listen = tls === undefined ? ['--port', port] : ['--port', '0', '--tls-port', port]
    if (tls !== undefined) {
      listen.push('--tls-auth-clients', 'no', '--tls-ca-cert-file', tls.certificate)
      listen.push('--tls-cert-file', tls.certificate, '--tls-key-file', tls.key)
    }
    const auth = password === undefined ? [] : ['--requirepass', password]
    const files = ['--dir', directory, '--save', '', '--appendonly', 'no']
    return [...listen, '--bind', this.#host, '--protected-mode', 'no', ...files, ...auth, ...args]
  }
}
