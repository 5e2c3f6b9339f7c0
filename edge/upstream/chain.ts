// A property's upstreams in order. One tier for now: its origins. The next is tried when one cannot be
// reached, does not answer, or answers with a server error, as long as no byte has gone to a client.
import type { EdgewardError } from '../../src/errors.ts'
import type { UpstreamOrigin } from './origin.ts'
import type { UpstreamRequest, UpstreamSink, Upstreams } from './upstream.ts'

/** Answers that another origin may do better. */
const SERVER_TROUBLE = new Set([500, 502, 503, 504])

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

export function pullThroughChain(
  upstreams: Upstreams,
  origins: readonly UpstreamOrigin[],
  request: UpstreamRequest,
  sink: UpstreamSink,
): void {
  let next = 0
  // What may not be repeated goes to one upstream, once (RFC 9110 §9.2.2).
  const repeatable = request.body === null && IDEMPOTENT.has(request.method)
  const more = () => repeatable && next < origins.length
  // Held for as long as anyone may be: another upstream would hold it as long again.
  const waitedInVain = (error: EdgewardError) =>
    request.holdMaxMs !== undefined && error.code === 'origin_timeout'
  const tryNext = (again: boolean): void => {
    const origin = origins[again ? next - 1 : next++]
    if (origin === undefined) throw new Error('a chain has at least one upstream')
    attempt(origin, again)
  }

  const attempt = (origin: UpstreamOrigin, again: boolean): void => {
    let headSeen = false
    let passedOver = false
    upstreams.send(origin.id, origin.url, request, {
      onInterim: (status, fields) => sink.onInterim(status, fields),
      onHead(head, flow) {
        headSeen = true
        if (SERVER_TROUBLE.has(head.status) && more()) {
          passedOver = true
          flow.abort()
          tryNext(false)
          return
        }
        sink.onHead(head, flow)
      },
      onData: (chunk) => sink.onData(chunk),
      onEnd: () => sink.onEnd(),
      onError(error) {
        if (passedOver) return
        if (headSeen) sink.onError(error)
        else if (!again && repeatable && wasIdleConnection(error)) tryNext(true)
        else if (more() && !waitedInVain(error)) tryNext(false)
        else sink.onError(error)
      },
    })
  }

  tryNext(false)
}

/** The origin may close a kept connection just as it is used again: that says nothing of its health. */
function wasIdleConnection(error: EdgewardError): boolean {
  const cause = error.cause
  return (
    error.code === 'origin_unreachable' &&
    cause instanceof Error &&
    'code' in cause &&
    cause.code === 'UND_ERR_SOCKET'
  )
}
