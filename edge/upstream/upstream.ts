// One request to one upstream: what is sent, and who hears what comes of it.
import type { Readable } from 'node:stream'
import type { EdgewardError } from '../../src/errors.ts'
import type { FieldPairs } from '../../src/http/fields.ts'
import type { SlotKind } from './origin-slots.ts'
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
