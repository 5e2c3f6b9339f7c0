// One request to one upstream, over undici's dispatch interface: no stream objects between its parser and
// the slice that the bytes go to. Owns the connections to all upstreams.
import type { Readable } from 'node:stream'
import { Agent } from 'undici'
import type { Dispatcher } from 'undici'
import { EdgewardError, messageOf, systemCode } from '../../src/errors.ts'
import type { ErrorCode } from '../../src/errors.ts'
import type { FieldPairs } from '../../src/http/fields.ts'
import {
  CONNECT_TIMEOUT_MS,
  INTERIMS_MAX,
  HELD_CONNECTIONS_MAX,
  ORIGIN_CONNECTIONS_MAX,
  UPSTREAM_BODY_TIMEOUT_MS,
  UPSTREAM_HEAD_BYTES_MAX,
  UPSTREAM_HEAD_TIMEOUT_MS,
} from '../limits.ts'

export interface UpstreamRequest {
  method: string
  /** Origin-form. */
  path: string
  fields: FieldPairs
  /** The upstream may wait this long before it answers, until there is something to answer with. */
  holdMaxMs?: number | undefined
  body: Readable | null
}

export interface UpstreamHead {
  /** Which upstream answered. */
  upstream: string
  status: number
  /** As received, in order. */
  fields: FieldPairs
}

export interface UpstreamFlow {
  pause(): void
  resume(): void
  /** Ends the exchange; the sink hears nothing more. */
  abort(): void
}

/** Hears one answer: a head, data, then an end or an error; an error alone when there was no answer. */
export interface UpstreamSink {
  /** Any number of interim answers (1xx) first. */
  onInterim(status: number, fields: FieldPairs): void
  onHead(head: UpstreamHead, flow: UpstreamFlow): void
  onData(chunk: Buffer): void
  onEnd(): void
  onError(error: EdgewardError): void
}

export class Upstreams {
  private readonly agent = newAgent(ORIGIN_CONNECTIONS_MAX)
  /** For requests that are held: waiting, they take no connection from those that are not. */
  private readonly heldAgent = newAgent(HELD_CONNECTIONS_MAX)

  send(upstream: string, baseUrl: string, request: UpstreamRequest, sink: UpstreamSink): void {
    const url = new URL(baseUrl)
    const basePath = url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname
    const { holdMaxMs } = request
    const agent = holdMaxMs === undefined ? this.agent : this.heldAgent
    agent.dispatch(
      {
        origin: url.origin,
        path: basePath + request.path,
        method: request.method,
        headers: [...request.fields],
        body: request.body,
        ...(holdMaxMs !== undefined && { headersTimeout: holdMaxMs }),
      },
      handlerFor(upstream, sink),
    )
  }

  async close(): Promise<void> {
    await Promise.all([this.agent.destroy(), this.heldAgent.destroy()])
  }
}

function newAgent(connections: number): Agent {
  return new Agent({
    connections,
    pipelining: 1,
    headersTimeout: UPSTREAM_HEAD_TIMEOUT_MS,
    bodyTimeout: UPSTREAM_BODY_TIMEOUT_MS,
    maxHeaderSize: UPSTREAM_HEAD_BYTES_MAX,
    connect: { timeout: CONNECT_TIMEOUT_MS, autoSelectFamily: true },
    allowH2: false,
  })
}

function handlerFor(upstream: string, sink: UpstreamSink): Dispatcher.DispatchHandler {
  let aborted = false
  let headSeen = false
  let interims = 0
  return {
    onRequestStart() {},
    onResponseStart(controller, status) {
      // Interim answers (1xx) are not the answer.
      if (status < 200) {
        if (aborted) return
        if (++interims <= INTERIMS_MAX) {
          sink.onInterim(status, fieldPairs(controller.rawHeaders))
          return
        }
        // Each starts undici's wait for the head anew: without a bound they could go on for ever.
        aborted = true
        controller.abort(new Error('too many interim answers'))
        const message = `${upstream}: more than ${INTERIMS_MAX} interim answers`
        sink.onError(new EdgewardError('origin_protocol', 'origin', message))
        return
      }
      headSeen = true
      const flow: UpstreamFlow = {
        pause: () => controller.pause(),
        resume: () => controller.resume(),
        abort: () => {
          if (aborted) return
          aborted = true
          controller.abort(new Error('no longer wanted'))
        },
      }
      sink.onHead({ upstream, status, fields: fieldPairs(controller.rawHeaders) }, flow)
    },
    onResponseData(_controller, chunk) {
      if (!aborted) sink.onData(chunk)
    },
    onResponseEnd() {
      if (!aborted) sink.onEnd()
    },
    onResponseError(_controller, error) {
      if (!aborted) sink.onError(upstreamError(upstream, error, headSeen))
    },
  }
}

function fieldPairs(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) return []
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
}

const TIMEOUTS = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
])
const LOST = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

function upstreamError(upstream: string, cause: Error, headSeen: boolean): EdgewardError {
  const systemError = systemCode(cause) ?? ''
  let code: ErrorCode = 'origin_unreachable'
  if (TIMEOUTS.has(systemError)) code = 'origin_timeout'
  else if (LOST.has(systemError)) code = headSeen ? 'origin_truncated' : 'origin_unreachable'
  else if (cause.name === 'HTTPParserError' || systemError.startsWith('UND_ERR_')) code = 'origin_protocol'
  const retry = code !== 'origin_protocol'
  return new EdgewardError(code, 'origin', `${upstream}: ${messageOf(cause)}`, { retry, cause })
}
