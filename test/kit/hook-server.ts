// An operator's own service (node:http on loopback) that a test scripts: what it answers to each POST of an edge, and
// what it was sent. For session hooks and receivers of events.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { once } from 'node:events'
import { freePort } from './ports.ts'
import type { TestScope } from './scope.ts'
import { until } from './until.ts'

export interface HookPost {
  readonly body: string
  readonly json: unknown
  readonly headers: IncomingMessage['headers']
}

export interface HookReply {
  readonly status: number
  readonly fields?: Readonly<Record<string, string>>
  readonly body?: string
}

/** 'silence': the request is taken and never answered. 'cut': the connection is. `nth` counts from 1. */
export type HookScript = (post: HookPost, nth: number) => HookReply | 'silence' | 'cut'

export class HookServer {
  readonly url: string
  readonly posts: HookPost[] = []
  script: HookScript
  private readonly server = createServer((request, response) => void this.answer(request, response))

  constructor(port: number, script: HookScript) {
    this.url = `http://127.0.0.1:${port}/hook`
    this.script = script
  }

  async listen(): Promise<void> {
    this.server.listen(Number(new URL(this.url).port), '127.0.0.1')
    await once(this.server, 'listening')
  }

  /** As one that has died: connections are refused from now on. */
  async stop(): Promise<void> {
    if (!this.server.listening) return
    const closed = once(this.server, 'close')
    this.server.close()
    this.server.closeAllConnections()
    await closed
  }

  /** All that was sent as lists, joined: what a receiver of events has heard. */
  events(): unknown[] {
    return this.posts.flatMap((post) => (Array.isArray(post.json) ? post.json : []))
  }

  async untilPosts(count: number): Promise<void> {
    await until(`${count} posts`, () => this.posts.length >= count)
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    const post = { body, json: JSON.parse(body), headers: request.headers }
    this.posts.push(post)
    const reply = this.script(post, this.posts.length)
    if (reply === 'silence') return
    if (reply === 'cut') {
      request.socket.destroy()
      return
    }
    response.writeHead(reply.status, reply.fields)
    response.end(reply.body)
  }
}

export async function startHook(t: TestScope, script: HookScript): Promise<HookServer> {
  const hook = new HookServer(await freePort(), script)
  await hook.listen()
  t.teardown(() => hook.stop())
  return hook
}
