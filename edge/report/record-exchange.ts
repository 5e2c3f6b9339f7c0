// When a reply is over: count it, and write its access-log line if those are wanted.
import { clientTextOf } from '../access/client.ts'
import { noteDenial } from '../callback/note-denial.ts'
import type { Exchange } from '../exchange.ts'
import { HEALTH_PATH } from '../../src/wire/health.ts'
import { leaveLimits } from '../limits/limited-reply.ts'

export function recordExchange(exchange: Exchange, complete: boolean): void {
  const { edge, request, reply, cache } = exchange
  leaveLimits(exchange)
  noteDenial(exchange)
  const durationMs = edge.clock.monotonic() - exchange.startedMs
  countExchange(exchange, durationMs / 1000)
  // Probes come every second or two from each scheduler, and say nothing of clients.
  if (!edge.accessLog || request.target === HEALTH_PATH) return
  edge.log.info(
    {
      client: clientTextOf(exchange),
      peer: exchange.peer?.from,
      tier: exchange.peer?.tier,
      method: request.method,
      host: printable(request.host),
      property: exchange.property?.id,
      path: printable(withoutQuery(exchange.path)),
      status: reply.status,
      bytes: reply.bodyBytes,
      range: printable(request.header('range')),
      cache: cache.outcome,
      forward: cache.forward ?? undefined,
      error: exchange.error?.code,
      denied: exchange.access.denial ?? undefined,
      rule: exchange.access.rule ?? undefined,
      cause:
        exchange.error === null || exchange.error.source === 'client' ? undefined : exchange.error.message,
      complete,
      ms: Math.round(durationMs * 1000) / 1000,
    },
    'request',
  )
}

/** What edges ask each other is no demand of clients: it takes of the bandwidth, and says nothing else. */
function countExchange(exchange: Exchange, seconds: number): void {
  const { edge, peer, property, cache, reply } = exchange
  if (peer !== null) {
    edge.peers.answered(peer.tier, reply.bodyBytes)
    edge.traffic.countPeer(reply.bodyBytes)
    return
  }
  edge.traffic.count(property?.id ?? '', cache.outcome, reply.status, reply.bodyBytes, seconds)
  noteDirectory(exchange)
}

/** Of content alone: what a client may make up, a refusal or a 404, is nothing that is hot. */
function noteDirectory({ edge, property, target, path, reply }: Exchange): void {
  if (property === null || target === null || reply.bodyBytes === 0 || reply.status >= 300) return
  edge.traffic.directories.note(property.id, path, reply.bodyBytes)
}

/** Longer texts of a client's own are cut. */
const TEXT_MAX = 1024

/** A terminal obeys bytes above ASCII too (C1 controls), and JSON leaves them as they are. */
function printable(text: string | undefined): string | undefined {
  return text?.slice(0, TEXT_MAX).replaceAll(/[^\x20-\x7e]/g, '?')
}

/** A request that is refused before it has a key has its query still: it may be anything. */
function withoutQuery(path: string): string {
  const question = path.indexOf('?')
  return question < 0 ? path : path.slice(0, question)
}
