// A real redis-server on a free loopback port, empty and without persistence; ended when the test ends.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { freePort } from './ports.ts'
import type { TestScope } from './scope.ts'

export async function startRedis(t: TestScope): Promise<RedisServer> {
  const server = new RedisServer(await freePort())
  t.teardown(() => server.kill())
  await server.start()
  return server
}

export class RedisServer {
  readonly port: number
  readonly url: string
  #child: ChildProcess | null = null

  constructor(port: number) {
    this.port = port
    this.url = `redis://127.0.0.1:${port}`
  }

  /** Starts a process, empty, always on the same port; resolves when it accepts connections. */
  async start(): Promise<void> {
    const child = spawn(
      'redis-server',
      ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    this.#child = child
    let output = ''
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes('Ready to accept connections')) resolve()
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
}
