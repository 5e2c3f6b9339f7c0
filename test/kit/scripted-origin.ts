// A real origin (node:http on loopback) that a scenario scripts in a few lines: what each path answers,
// how the bytes come (whole, trickled, paused on command, cut short), and what was asked of it.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import { formatAuthority } from '../../src/net/listen.ts'
import { sendAnswer } from './origin-answer.ts'
import type { Answer, Gate } from './origin-answer.ts'
import { freePort } from './ports.ts'
import type { TestScope } from './scope.ts'

export type { Answer } from './origin-answer.ts'

export interface AskedRequest {
  method: string
  /** With query. */
  target: string
  headers: IncomingMessage['headers']
}

/** What a path answers: always the same, or decided for each request (`nth` counts from 1). */
export type Script = Answer | ((request: AskedRequest, nth: number) => Answer)

class PathState {
  script: Script | undefined
  readonly asked: AskedRequest[] = []
  gate: Gate = newGate()
  #watchers: { count: number; resolve: () => void }[] = []

  record(request: AskedRequest): number {
    this.asked.push(request)
    for (const watcher of this.#watchers) if (this.asked.length >= watcher.count) watcher.resolve()
    return this.asked.length
  }

  until(count: number): Promise<void> {
    if (this.asked.length >= count) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#watchers.push({ count, resolve })
    return promise
  }
}

export class ScriptedOrigin {
  readonly host: string
  readonly port: number
  readonly url: string
  readonly #server = createServer((request, response) => this.#answer(request, response))
  readonly #paths = new Map<string, PathState>()

  constructor(host: string, port: number) {
    this.host = host
    this.port = port
    this.url = `http://${formatAuthority(host, port)}`
    // The edge's pool decides when a connection ends, so that no request meets one that is closing.
    this.#server.keepAliveTimeout = 120_000
  }

  /** Scripts a path from now on: a new version, another way to fail. Its counts go on. */
  on(path: string, script: Script): void {
    const state = this.#path(path)
    state.script = script
    state.gate = newGate()
  }

  /** Requests for a path so far, its query left out. */
  count(path: string): number {
    return this.#path(path).asked.length
  }

  requests(path: string): readonly AskedRequest[] {
    return this.#path(path).asked
  }

  /** All requests of all paths. */
  total(): number {
    let sum = 0
    for (const state of this.#paths.values()) sum += state.asked.length
    return sum
  }

  /** Resolves once a path has been asked for `count` times in all. */
  asked(path: string, count = 1): Promise<void> {
    return this.#path(path).until(count)
  }

  /** Resolves once an answer of this path has sent all before its `pauseAt`. */
  paused(path: string): Promise<void> {
    return this.#path(path).gate.reached
  }

  /** Lets the paused answers of a path go on, and those to come. */
  resume(path: string): void {
    this.#path(path).gate.open()
  }

  /** Listens (again) on its one address. */
  async start(): Promise<void> {
    this.#server.listen({ host: this.host, port: this.port, backlog: 4096 })
    await once(this.#server, 'listening')
  }

  /** Refuses connections, and breaks those there are. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  #path(path: string): PathState {
    let state = this.#paths.get(path)
    if (state === undefined) {
      state = new PathState()
      this.#paths.set(path, state)
    }
    return state
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const target = request.url ?? ''
    const state = this.#path(target.split('?', 1)[0] ?? '')
    const asked = { method: request.method ?? '', target, headers: request.headers }
    const nth = state.record(asked)
    const { script } = state
    const answer = typeof script === 'function' ? script(asked, nth) : script
    request.resume()
    sendAnswer(request, response, answer ?? { status: 404, body: 'not found\n' }, state.gate).catch(() => {
      // The asker went away, or the script cut the connection: the test sees it from the other side.
      response.destroy()
    })
  }
}

/** Starts an origin that ends with the test. */
export async function startOrigin(
  t: TestScope,
  scripts: Readonly<Record<string, Script>>,
  options: { host?: string } = {},
): Promise<ScriptedOrigin> {
  const host = options.host ?? '127.0.0.1'
  const origin = new ScriptedOrigin(host, await freePort(host))
  for (const [path, script] of Object.entries(scripts)) origin.on(path, script)
  await origin.start()
  t.teardown(() => origin.stop())
  return origin
}

function newGate(): Gate {
  const opened = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  return {
    opened: opened.promise,
    open: opened.resolve,
    reached: reached.promise,
    reach: reached.resolve,
  }
}
