// Hears one answer from undici's dispatch interface and hands it on: no stream objects between its parser and the slice
// that the bytes go to. Its slot is free when the answer ends, however it does.
import type { Dispatcher } from 'undici'
import { EdgewardError } from '../../src/errors.ts'
import type { FieldPairs } from '../../src/http/fields.ts'
import { INTERIMS_MAX } from '../limits.ts'
import { faultOfHead, interimFields } from './answer-head.ts'
import type { Slot } from './origin-slots.ts'
import type { UpstreamFlow, UpstreamSink } from './upstream.ts'
import { upstreamError } from './upstream-error.ts'

export class AnswerHandler implements Dispatcher.DispatchHandler {
  readonly #upstream: string
  readonly #sink: UpstreamSink
  readonly #slot: Slot
  /** Something came from the upstream. */
  readonly #onSign: () => void
  #controller: Dispatcher.DispatchController | null = null
  #aborted = false
  #headSeen = false
  #interims = 0

  constructor(upstream: string, sink: UpstreamSink, slot: Slot, onSign: () => void) {
    this.#upstream = upstream
    this.#sink = sink
    this.#slot = slot
    this.#onSign = onSign
  }

  /** The sink hears nothing more. Any number of times. */
  abort(): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#slot.release()
    this.#controller?.abort(new Error('no longer wanted'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#aborted) controller.abort(new Error('no longer wanted'))
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#aborted) return
    this.#onSign()
    const fields = fieldPairs(controller.rawHeaders)
    const fault = faultOfHead(status, fields)
    if (fault !== null) {
      this.#refuse(fault)
      return
    }
    // Interim answers (1xx) are not the answer.
    if (status < 200) {
      this.#onInterim(status, fields)
      return
    }
    this.#headSeen = true
    const flow: UpstreamFlow = {
      pause: () => controller.pause(),
      resume: () => controller.resume(),
      hold: (kind) => this.#slot.move(kind),
      abort: () => this.abort(),
    }
    this.#sink.onHead({ upstream: this.#upstream, status, fields }, flow)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#aborted) return
    this.#onSign()
    this.#sink.onData(chunk)
  }

  onResponseEnd(): void {
    this.#slot.release()
    if (!this.#aborted) this.#sink.onEnd()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#slot.release()
    if (!this.#aborted) this.#sink.onError(upstreamError(this.#upstream, error, this.#headSeen))
  }

  #onInterim(status: number, fields: FieldPairs): void {
    if (++this.#interims <= INTERIMS_MAX) {
      this.#sink.onInterim(status, interimFields(fields))
      return
    }
    // Each starts undici's wait for the head anew: without a bound they could go on for ever.
    this.#refuse(`more than ${INTERIMS_MAX} interim answers`)
  }

  #refuse(fault: string): void {
    this.abort()
    this.#sink.onError(new EdgewardError('origin_protocol', 'origin', `${this.#upstream}: ${fault}`))
  }
}

function fieldPairs(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) return []
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
}
