// Calls an operator's own services: one signed POST of JSON, bounded in time and size, over kept connections. Follows
// no redirect: where a service sends its callers is not where an edge was told to send its viewers' addresses.
import { Agent } from 'undici'
import { messageOf } from '../../src/errors.ts'
import { SIGNATURE_FIELD, signatureOf } from '../../src/wire/callback.ts'
import { requestUntil } from '../request-until.ts'
import {
  HOOK_BODY_BYTES_MAX,
  HOOK_CALLS_MAX,
  HOOK_CONNECT_TIMEOUT_MS,
  HOOK_HEAD_BYTES_MAX,
} from '../limits.ts'

export interface HookCall {
  readonly url: string
  /** undefined: the body is not signed. */
  readonly key: string | undefined
  readonly body: string
  readonly signal: AbortSignal
}

export interface HookAnswer {
  readonly status: number
  /** By lower-case name; undefined when it is absent or repeated. */
  header(lowerName: string): string | undefined
}

export class HookClient {
  private readonly agent = new Agent({
    connections: HOOK_CALLS_MAX,
    pipelining: 1,
    maxHeaderSize: HOOK_HEAD_BYTES_MAX,
    connect: { timeout: HOOK_CONNECT_TIMEOUT_MS, autoSelectFamily: true },
    allowH2: false,
  })

  /** A text is what went wrong: there is no answer. Never throws. */
  async post({ url, key, body, signal }: HookCall): Promise<HookAnswer | string> {
    try {
      const response = await requestUntil(signal, url, {
        dispatcher: this.agent,
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          ...(key !== undefined && { [SIGNATURE_FIELD]: signatureOf(key, body) }),
        },
        body,
      })
      // Its head says all. A body that is long, or slow, costs the connection and nothing else.
      response.body.dump({ limit: HOOK_BODY_BYTES_MAX, signal }).catch(() => {})
      return {
        status: response.statusCode,
        header(lowerName) {
          const value = response.headers[lowerName]
          return typeof value === 'string' ? value : undefined
        },
      }
    } catch (error) {
      return signal.aborted ? 'no answer in time' : messageOf(error)
    }
  }

  async close(): Promise<void> {
    await this.agent.destroy()
  }
}
