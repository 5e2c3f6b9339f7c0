// Reports as edges send them, taken before the routes of the control listener: they are most of what comes there, and cost a
// fifth less than by them. A key that is wrong, a body that is too large or of unknown length, anything that is not plain is
// left to the routes, which judge a report by the same function.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { SchedulerMetrics } from '../admin/metrics.ts'
import { REPORT_BYTES_MAX } from '../limits.ts'
import type { EdgeView, Topology } from '../topology.ts'
import { findKeyHolders } from './keys.ts'
import type { ReportAnswer, TakeReport } from './report-taker.ts'

export const REPORT_PATH = '/edge/v1/report'
export const JSON_TYPE = 'application/json; charset=utf-8'

export interface PlainReportsDeps {
  readonly topology: () => Topology
  readonly take: TakeReport
  readonly metrics: Pick<SchedulerMetrics, 'reported'>
}

export function plainReports(deps: PlainReportsDeps): (next: RequestListener) => RequestListener {
  return (next) => (request, response) => {
    // Before the body is read: a stranger's body is not worth parsing.
    const holders = isPlain(request)
      ? findKeyHolders(deps.topology(), request.headers.authorization)
      : NO_HOLDERS
    if (holders.length === 0) next(request, response)
    else takeBody(request, response, holders, deps)
  }
}

const NO_HOLDERS: readonly EdgeView[] = []

function isPlain({ method, url, headers }: IncomingMessage): boolean {
  if (method !== 'POST' || url !== REPORT_PATH || headers['content-type'] !== 'application/json') return false
  // node:http reads exactly as many.
  return Number(headers['content-length']) <= REPORT_BYTES_MAX
}

/** Of a body that is cut short nothing is taken, and there is nobody to answer. */
function takeBody(
  request: IncomingMessage,
  response: ServerResponse,
  holders: readonly EdgeView[],
  { take, metrics }: PlainReportsDeps,
): void {
  const peer = request.socket.remoteAddress ?? ''
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    let body: unknown
    try {
      body = JSON.parse(Buffer.concat(parts).toString())
    } catch {
      metrics.reported('invalid')
      answer(response, NOT_JSON)
      return
    }
    answer(response, take(body, holders, peer))
  })
}

const NOT_JSON: ReportAnswer = {
  status: 400,
  text: JSON.stringify({ error: 'bad-request', message: 'the body is not JSON' }),
}

function answer(response: ServerResponse, { status, text }: ReportAnswer): void {
  response.writeHead(status, { 'Content-Type': JSON_TYPE, 'Content-Length': Buffer.byteLength(text) })
  response.end(text)
}
