// Talks to the schedulers' control listeners: in order of preference, each call bounded, the first that
// answers serves.
import { Agent } from 'undici'
import type { Dispatcher } from 'undici'
import { z } from 'zod'
import { EdgewardError, messageOf } from '../../src/errors.ts'
import { CONFIG_HELD_MS, EVENTS_HELD_MS, eventsReplySchema } from '../../src/wire/events.ts'
import type { EventsReply } from '../../src/wire/events.ts'
import { reportReplySchema } from '../../src/wire/report.ts'
import type { EdgeReport, ReportReply } from '../../src/wire/report.ts'
import { requestUntil } from '../request-until.ts'

const CALL_TIMEOUT_MS = 2500
const ANSWER_BYTES_MAX = 16 * 2 ** 20
/** Of an answer, in the log. */
const TOLD_CHARS_MAX = 200

/** Connections that carry reports and nothing else: a scheduler takes them there with less work. */
const REPORTING = new Agent({ connections: 1 })

type Method = 'GET' | 'POST' | 'PUT'

interface CallBounds {
  readonly timeoutMs?: number
  /** Ends it earlier. */
  readonly signal?: AbortSignal
  readonly dispatcher?: Dispatcher
}

export class SchedulerClient {
  /** Called when one answers after one did not. */
  onBack: (() => void) | null = null
  private readonly urls: readonly string[]
  private readonly key: string
  /** The scheduler that answered last is asked first. */
  private preferred = 0
  private isLost = false

  constructor(urls: readonly string[], key: string) {
    this.urls = urls.map((url) => url.replace(/\/$/, ''))
    this.key = key
  }

  async report(report: EdgeReport): Promise<ReportReply> {
    const answer = await this.call('POST', '/edge/v1/report', JSON.stringify(report), {
      dispatcher: REPORTING,
    })
    return reportReplySchema.parse(answer)
  }

  /** Not checked: who runs it does. `atLeast`: answered once the scheduler runs that version, or after a while. */
  config(atLeast: number | null): Promise<unknown> {
    if (atLeast === null) return this.call('GET', '/edge/v1/config', null)
    const timeoutMs = CALL_TIMEOUT_MS + CONFIG_HELD_MS
    return this.call('GET', `/edge/v1/config?atLeast=${atLeast}`, null, { timeoutMs })
  }

  /** Not checked: who keeps it does. */
  guidance(edge: string): Promise<unknown> {
    return this.call('GET', `/edge/v1/guidance?${new URLSearchParams({ edge }).toString()}`, null)
  }

  /** What is behind an event; `hold`: answered when there is something, or after a while. */
  async events(edge: string, after: string, hold: boolean, signal: AbortSignal): Promise<EventsReply> {
    const query = new URLSearchParams({ edge, after, hold: hold ? '1' : '0' })
    const timeoutMs = CALL_TIMEOUT_MS + (hold ? EVENTS_HELD_MS : 0)
    const path = `/edge/v1/events?${query.toString()}`
    return eventsReplySchema.parse(await this.call('GET', path, null, { timeoutMs, signal }))
  }

  /** What it answers, unchecked. Throws the last scheduler's failure when none does. */
  async call(method: Method, path: string, body: string | null, bounds: CallBounds = {}): Promise<unknown> {
    let failure: unknown
    for (let i = 0; i < this.urls.length; i++) {
      const turn = (this.preferred + i) % this.urls.length
      const url = this.urls[turn] ?? ''
      try {
        // oxlint-disable-next-line no-await-in-loop -- one after the other is the meaning
        const answer = await this.ask(url, method, path, body, bounds)
        this.preferred = turn
        if (this.isLost) this.onBack?.()
        this.isLost = false
        return answer
      } catch (error) {
        failure = error
        this.isLost = true
        if (bounds.signal?.aborted === true) break
      }
    }
    throw failure
  }

  private async ask(
    url: string,
    method: Method,
    path: string,
    body: string | null,
    { timeoutMs = CALL_TIMEOUT_MS, signal, dispatcher }: CallBounds,
  ): Promise<unknown> {
    const timeout = AbortSignal.timeout(timeoutMs)
    let response: Dispatcher.ResponseData
    try {
      const both = signal === undefined ? timeout : AbortSignal.any([timeout, signal])
      response = await requestUntil(both, url + path, {
        method,
        headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
        body,
        ...(dispatcher !== undefined && { dispatcher }),
      })
    } catch (cause) {
      throw new EdgewardError('internal', 'peer', `scheduler ${url}: ${messageOf(cause)}`, {
        retry: true,
        cause,
      })
    }
    const text = await readText(response)
    if (response.statusCode === 401) {
      throw new EdgewardError('internal', 'self', `scheduler ${url} refuses this edge's id or key (401)`)
    }
    if (response.statusCode === 409) {
      throw new EdgewardError(
        'internal',
        'self',
        `scheduler ${url} takes no report of this process (409): ${refusalIn(text)}`,
      )
    }
    if (response.statusCode !== 200) {
      throw new EdgewardError(
        'internal',
        'peer',
        `scheduler ${url} answered ${response.statusCode}: ${text.slice(0, TOLD_CHARS_MAX)}`,
      )
    }
    return JSON.parse(text)
  }
}

const refusalSchema = z.object({ message: z.string() })

/** What a refusal says for people. */
function refusalIn(text: string): string {
  try {
    return refusalSchema.parse(JSON.parse(text)).message.slice(0, TOLD_CHARS_MAX)
  } catch {
    return text.slice(0, TOLD_CHARS_MAX)
  }
}

async function readText(response: Dispatcher.ResponseData): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of response.body) {
    // The body of undici is a byte stream; its type does not say so.
    const chunk: unknown = part
    if (!Buffer.isBuffer(chunk)) continue
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX)
      throw new EdgewardError('internal', 'peer', 'answer of the scheduler is too long')
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}
