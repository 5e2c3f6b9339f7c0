// One answer of the scripted origin: conditions and ranges as RFC 9110 has them unless the script says
// otherwise, then the body as the script paces, pauses or cuts it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

const CHUNK_BYTES = 64 * 1024

export interface Answer {
  status?: number
  fields?: Readonly<Record<string, string | string[]>>
  body?: Uint8Array | string
  /** How the body's end is told: Content-Length (the default), chunked, or by closing. */
  framing?: 'length' | 'chunked' | 'close'
  /** 'ignore': a range gets the whole body; 'wrong': a Content-Range other than asked for. */
  ranges?: 'honour' | 'ignore' | 'wrong'
  /** Sends so many body bytes and waits for `resume`; 'head': sends nothing at all before. */
  pauseAt?: number | 'head'
  /** Sends so many body bytes of those declared and destroys the connection. */
  cutAt?: number
  /** Sends the body bit by bit. */
  trickle?: { bytes: number; everyMs: number }
  /** Sent as it is instead of all the above, then the connection is closed. */
  raw?: string
}

/** Where an answer waits for the test. */
export interface Gate {
  readonly opened: Promise<void>
  open(): void
  readonly reached: Promise<void>
  reach(): void
}

interface Plan {
  status: number
  fields: Record<string, string | string[]>
  body: Buffer
}

export async function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  gate: Gate,
): Promise<void> {
  if (answer.pauseAt === 'head') {
    gate.reach()
    await gate.opened
  }
  if (answer.raw !== undefined) {
    response.socket?.end(answer.raw, 'latin1')
    return
  }
  const plan = planAnswer(request, answer)
  for (const [name, value] of Object.entries(plan.fields)) response.setHeader(name, value)
  response.statusCode = plan.status
  const bodiless = request.method === 'HEAD' || plan.status === 304 || plan.status === 204
  const framing = answer.framing ?? 'length'
  if (framing === 'length' && plan.status !== 304 && plan.status !== 204) {
    response.setHeader('Content-Length', plan.body.length)
  }
  if (framing === 'close') {
    response.useChunkedEncodingByDefault = false
    response.shouldKeepAlive = false
  }
  if (bodiless) response.end()
  else await sendBody(response, plan.body, answer, gate)
}

async function sendBody(response: ServerResponse, body: Buffer, answer: Answer, gate: Gate): Promise<void> {
  const pauseAt = typeof answer.pauseAt === 'number' ? answer.pauseAt : undefined
  const end = Math.min(answer.cutAt ?? body.length, body.length)
  const step = answer.trickle?.bytes ?? CHUNK_BYTES
  response.flushHeaders()
  for (let at = 0; at < end;) {
    if (at === pauseAt) {
      gate.reach()
      await gate.opened
    }
    const stop = Math.min(at + step, end, pauseAt !== undefined && at < pauseAt ? pauseAt : end)
    await write(response, body.subarray(at, stop))
    at = stop
    if (answer.trickle !== undefined) await delay(answer.trickle.everyMs)
  }
  if (pauseAt === end) {
    gate.reach()
    await gate.opened
  }
  if (answer.cutAt === undefined) response.end()
  else response.destroy()
}

/** Resolves when the bytes have gone to the kernel. */
function write(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(bytes, (error) => (error ? reject(error) : resolve()))
  })
}

function planAnswer(request: IncomingMessage, answer: Answer): Plan {
  const body = bufferOf(answer.body ?? '')
  const fields = { ...answer.fields }
  const status = answer.status ?? 200
  const etag = findField(fields, 'etag')
  if (status !== 200) return { status, fields, body }
  if (etag !== undefined && request.headers['if-none-match'] === etag) {
    return { status: 304, fields, body: Buffer.alloc(0) }
  }
  const ranges = answer.ranges ?? 'honour'
  if (ranges === 'ignore') return { status, fields, body }
  fields['Accept-Ranges'] = 'bytes'
  const ifRange = request.headers['if-range']
  const stale = ifRange !== undefined && ifRange !== etag && ifRange !== findField(fields, 'last-modified')
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '')
  if (match === null || stale) return { status, fields, body }
  return planRange(match, ranges, fields, body)
}

/** Of bytes a view: a film is not copied for each range of it. */
function bufferOf(body: Uint8Array | string): Buffer {
  if (typeof body === 'string') return Buffer.from(body)
  return Buffer.from(body.buffer, body.byteOffset, body.length)
}

function planRange(
  match: RegExpExecArray,
  ranges: 'honour' | 'wrong',
  fields: Record<string, string | string[]>,
  body: Buffer,
): Plan {
  const suffix = match[1] === ''
  const first = suffix ? Math.max(0, body.length - Number(match[2])) : Number(match[1])
  const last = suffix || match[2] === '' ? body.length - 1 : Math.min(Number(match[2]), body.length - 1)
  if (first > last) {
    fields['Content-Range'] = `bytes */${body.length}`
    return { status: 416, fields, body: Buffer.alloc(0) }
  }
  const shift = ranges === 'wrong' ? 1 : 0
  fields['Content-Range'] = `bytes ${first + shift}-${last + shift}/${body.length + shift}`
  return { status: 206, fields, body: body.subarray(first, last + 1) }
}

function findField(fields: Record<string, string | string[]>, lowerName: string): string | undefined {
  const value = Object.entries(fields).find(([name]) => name.toLowerCase() === lowerName)?.[1]
  return typeof value === 'string' ? value : undefined
}
