// Asks a scheduler's admin listener, for the commands of operators. A refusal is an error in the scheduler's words.
import { Readable } from 'node:stream'
import type { z } from 'zod'
import { Option } from 'commander'
import { messageOf } from '../../errors.ts'

const ANSWER_MS = 5000

interface Asked {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  body?: unknown
  /** Lines of text, sent as they are read. */
  list?: Readable
  /** Of the whole answer. */
  timeoutMs?: number
}

/** By the scheduler, in its words. */
export class AdminRefusal extends Error {
  readonly status: number
  readonly reason: string

  constructor(url: string, status: number, reason: string) {
    super(`${url}: ${reason}`)
    this.name = 'AdminRefusal'
    this.status = status
    this.reason = reason
  }
}

export function adminOption(): Option {
  return new Option('--admin <url>', 'admin listener of the scheduler').default('http://127.0.0.1:8082')
}

/** `path` begins with a slash. Throws when there is no answer, a refusal, or one that is not of `schema`. */
export async function askAdmin<T>(
  admin: string,
  path: string,
  schema: z.ZodType<T>,
  asked: Asked = {},
): Promise<T> {
  const url = `${admin.replace(/\/+$/, '')}${path}`
  const answer = await answerOf(url, asked)
  const content: unknown = await answer.json().catch(() => undefined)
  if (!answer.ok) {
    const reason = refusalIn(content) ?? `status ${answer.status}`
    throw new AdminRefusal(shownUrl(url), answer.status, reason)
  }
  const parsed = schema.safeParse(content)
  if (!parsed.success)
    throw new Error(`${shownUrl(url)} is not the admin listener of a scheduler of this version`)
  return parsed.data
}

async function answerOf(
  url: string,
  { method = 'GET', body, list, timeoutMs = ANSWER_MS }: Asked,
): Promise<Response> {
  try {
    return await fetch(url, { method, signal: AbortSignal.timeout(timeoutMs), ...contentOf(body, list) })
  } catch (error) {
    // fetch says only that it failed; its cause says why.
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    throw new Error(`${shownUrl(url)} does not answer: ${messageOf(cause)}`, { cause: error })
  }
}

function contentOf(body: unknown, list: Readable | undefined): RequestInit {
  if (list !== undefined) {
    return { body: Readable.toWeb(list), duplex: 'half', headers: { 'content-type': 'text/plain' } }
  }
  if (body === undefined) return {}
  return { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
}

/** Without its query, which may hold a token. */
function shownUrl(url: string): string {
  return url.replace(/\?.*$/s, '')
}

function refusalIn(content: unknown): string | undefined {
  if (typeof content !== 'object' || content === null || !('message' in content)) return undefined
  return typeof content.message === 'string' ? content.message : undefined
}
