// The same view of a request for connections that the bodiless server handed to node:http: HTTP/1.0,
// requests with bodies, other methods, and whatever is odd enough to need the full parser.
import type { Readable } from 'node:stream'
import { serialiseFields } from '../http/fields.ts'
import type { FieldPairs } from '../http/fields.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpReply, HttpRequest, ReplyHead, Transaction } from '../http/transaction.ts'
import type { ConnectionHost } from './connection.ts'
import { writeTimeoutMs } from './limits.ts'
import { isBodiless, statusLine } from './reply-head.ts'

/** Why node:http's reading of a request is refused all the same. */
export type RequestFault = 'bad-version' | 'duplicate-host' | 'bad-target'

export class NodeTransaction implements Transaction, HttpRequest, HttpReply {
  readonly method: string
  readonly target: string
  readonly host: string
  readonly version: '1.0' | '1.1'
  readonly secure: boolean
  readonly remoteAddress: string
  readonly fault: RequestFault | null
  bodyBytes = 0
  onFinish: ((complete: boolean) => void) | null = null
  private readonly message: IncomingMessage
  private readonly response: ServerResponse
  private readonly server: ConnectionHost
  private over = false

  constructor(message: IncomingMessage, response: ServerResponse, server: ConnectionHost) {
    this.message = message
    this.response = response
    this.server = server
    this.method = message.method ?? ''
    this.version = message.httpVersion === '1.0' ? '1.0' : '1.1'
    this.secure = server.secure
    this.remoteAddress = message.socket.remoteAddress ?? ''
    const target = originForm(message.url ?? '', message.headers.host ?? '')
    this.target = target?.target ?? message.url ?? ''
    this.host = target?.host ?? ''
    this.fault = faultOf(message, target !== null)
    response.once('close', () => this.finish(response.writableFinished))
  }

  get request(): HttpRequest {
    return this
  }

  get reply(): HttpReply {
    return this
  }

  get closed(): boolean {
    return this.response.destroyed || this.over
  }

  get status(): number {
    return this.response.headersSent ? this.response.statusCode : 0
  }

  header(lowerName: string): string | undefined {
    const value = this.message.headers[lowerName]
    return Array.isArray(value) ? value.join(', ') : value
  }

  fields(): FieldPairs {
    return this.message.rawHeaders
  }

  /** Asking for it lets a client go on that waits for 100 (Continue). */
  get body(): Readable | null {
    const { headers } = this.message
    const none = headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0'
    if (none) return null
    if (headers.expect !== undefined && !this.response.headersSent) this.response.writeContinue()
    return this.message
  }

  interim(status: number, fields: FieldPairs): void {
    if (this.closed || this.response.headersSent || this.version === '1.0') return
    // node:http writes only the interim answers it knows by name.
    this.message.socket.write(`${statusLine(status)}${serialiseFields(fields)}\r\n`, 'latin1')
  }

  send(head: ReplyHead, body: Uint8Array | null): void {
    if (this.closed) return
    this.writeHead(head)
    this.bodyBytes = body?.length ?? 0
    if (body === null) {
      this.response.end()
      return
    }
    const late = this.abortAfter(body.length)
    this.response.once('close', () => clearTimeout(late))
    this.response.end(body)
  }

  start(head: ReplyHead): void {
    if (this.closed) return
    this.writeHead(head)
    this.response.flushHeaders()
  }

  write(chunk: Uint8Array): Promise<boolean> {
    if (this.closed) return Promise.resolve(false)
    this.bodyBytes += chunk.length
    return new Promise((resolve) => {
      // A response that is destroyed drops its callbacks: 'close' settles those.
      const late = this.abortAfter(chunk.length)
      const settle = (taken: boolean) => {
        clearTimeout(late)
        this.response.off('close', onClose)
        resolve(taken)
      }
      const onClose = () => settle(false)
      this.response.once('close', onClose)
      this.response.write(chunk, (error) => settle(error === undefined || error === null))
    })
  }

  end(): void {
    this.response.end()
  }

  abort(): void {
    this.message.socket.destroy()
  }

  /** node:http has no floor for how slowly a client may read. */
  private abortAfter(bytes: number): NodeJS.Timeout {
    return setTimeout(() => this.abort(), writeTimeoutMs(bytes)).unref()
  }

  private writeHead(head: ReplyHead): void {
    const fields: string[] = ['Date', head.date ?? this.server.date()]
    if (head.length !== null && !isBodiless(head.status)) fields.push('Content-Length', String(head.length))
    // A body that nobody read would be taken for the next request.
    if (!this.message.complete) fields.push('Connection', 'close')
    this.response.sendDate = false
    this.response.writeHead(head.status, [
      ...fields,
      ...this.server.always.pairs,
      ...head.extra,
      ...head.fields.pairs,
      ...(head.added?.pairs ?? []),
    ])
  }

  private finish(complete: boolean): void {
    if (this.over) return
    this.over = true
    const onFinish = this.onFinish
    this.onFinish = null
    onFinish?.(complete)
  }
}

/** node:http reads a request line without a version, and versions that nobody speaks. */
function faultOf(message: IncomingMessage, targetUnderstood: boolean): RequestFault | null {
  if (message.httpVersion !== '1.1' && message.httpVersion !== '1.0') return 'bad-version'
  if (countHosts(message.rawHeaders) > 1) return 'duplicate-host'
  return targetUnderstood ? null : 'bad-target'
}

function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === 'host') hosts++
  return hosts
}

/** RFC 9112 §3.2: origin-form as it is, absolute-form split (its authority wins over Host), `*` for OPTIONS. */
function originForm(url: string, host: string): { target: string; host: string } | null {
  if (url.startsWith('/') || url === '*') return { target: url, host }
  const absolute = /^https?:\/\/([^/?#@]+)([/?][^#]*)?$/i.exec(url)
  if (absolute === null) return null
  const rest = absolute[2] ?? '/'
  return { target: rest.startsWith('/') ? rest : `/${rest}`, host: absolute[1] ?? '' }
}
