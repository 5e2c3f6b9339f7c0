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
  UPSTREAM_BODY_TIMEOUT_MS,
  UPSTREAM_HEAD_BYTES_MAX,
  UPSTREAM_HEAD_TIMEOUT_MS,
} from '../limits.ts'
import { OriginSlots, SLOTS_MAX } from './origin-slots.ts'
import type { Slot, SlotKind } from './origin-slots.ts'
import type { UpstreamTier } from './tier.ts'

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
  /** From now on it waits at this pace; false when as many do so as may. */
  hold(kind: SlotKind): boolean
  /** Ends the exchange; the sink hears nothing more. */
  abort(): void
}

/** Hears one answer: a head, data, then an end or an error; an error alone when there was no answer. */
export interface UpstreamSink {
  /** Where the chain asks from now on; heard in the turn of the first attempt there. */
  onTier?(tier: UpstreamTier): void
  /** Any number of interim answers (1xx) first. */
  onInterim(status: number, fields: FieldPairs): void
  onHead(head: UpstreamHead, flow: UpstreamFlow): void
  onData(chunk: Buffer): void
  onEnd(): void
  onError(error: EdgewardError): void
}

export class Upstreams {
  /** Never has to queue: the slots do. */
  private readonly agent = newAgent(Object.values(SLOTS_MAX).reduce((sum, slots) => sum + slots, 0))
  /** By scheme and authority: as many as are configured. */
  private readonly slots = new Map<string, OriginSlots>()

  send(upstream: string, baseUrl: string, request: UpstreamRequest, sink: UpstreamSink): void {
    const url = new URL(baseUrl)
    const basePath = url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname
    const { holdMaxMs } = request
    this.slotsOf(url.origin).take(kindOf(request), (slot) => {
      if (slot === null) {
        sink.onError(busyError(upstream))
        return
      }
      try {
        this.agent.dispatch(
          {
            origin: url.origin,
            path: basePath + request.path,
            method: request.method,
            headers: [...request.fields],
            body: request.body,
            ...(holdMaxMs !== undefined && { headersTimeout: holdMaxMs }),
          },
          handlerFor(upstream, sink, slot),
        )
      } catch (error) {
        slot.release()
        sink.onError(new EdgewardError('internal', 'self', messageOf(error), { cause: error }))
      }
    })
  }

  async close(): Promise<void> {
    await this.agent.destroy()
  }

  /** Origin → its places, for the metrics. */
  get places(): ReadonlyMap<string, OriginSlots> {
    return this.slots
  }

  private slotsOf(origin: string): OriginSlots {
    let slots = this.slots.get(origin)
    if (slots === undefined) this.slots.set(origin, (slots = new OriginSlots()))
    return slots
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

/** A body goes up as slowly as its client sends it. */
function kindOf({ body, holdMaxMs }: UpstreamRequest): SlotKind {
  if (body !== null) return 'passing'
  return holdMaxMs === undefined ? 'filling' : 'held'
}

/** As many are on their way to this upstream, or wait for it, as may. */
export function busyError(upstream: string): EdgewardError {
  return new EdgewardError('origin_busy', 'self', `${upstream}: no connection is free`, { retry: true })
}

function handlerFor(upstream: string, sink: UpstreamSink, slot: Slot): Dispatcher.DispatchHandler {
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
        slot.release()
        controller.abort(new Error('too many interim answers'))
        const message = `${upstream}: more than ${INTERIMS_MAX} interim answers`
        sink.onError(new EdgewardError('origin_protocol', 'origin', message))
        return
      }
      headSeen = true
      const flow: UpstreamFlow = {
        pause: () => controller.pause(),
        resume: () => controller.resume(),
        hold: (kind) => slot.move(kind),
        abort: () => {
          if (aborted) return
          aborted = true
          slot.release()
          controller.abort(new Error('no longer wanted'))
        },
      }
      sink.onHead({ upstream, status, fields: fieldPairs(controller.rawHeaders) }, flow)
    },
    onResponseData(_controller, chunk) {
      if (!aborted) sink.onData(chunk)
    },
    onResponseEnd() {
      slot.release()
      if (!aborted) sink.onEnd()
    },
    onResponseError(_controller, error) {
      slot.release()
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
