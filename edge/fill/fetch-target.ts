// A request as it goes upstream: its fields are copied out of the connection's buffer here, on a miss, and not
// for hits.
import type { Exchange } from '../exchange.ts'
import { headerOf } from './fetch.ts'
import type { FetchTarget } from './fetch.ts'
import { holdMaxFor } from '../playlist/low-latency.ts'

export function fetchTargetOf(exchange: Exchange): FetchTarget {
  const { target, request, reply } = exchange
  if (target === null) throw new Error('a fetch comes after make-key')
  const fields = request.fields()
  return {
    ...target,
    fields,
    header: headerOf(fields),
    holdMaxMs: holdMaxFor(exchange.edge.knownPlaylists, target),
    askedAs: exchange.peer?.tier ?? null,
    authorised: request.header('authorization') !== undefined,
    onInterim: (status, interim) => reply.interim(status, interim),
  }
}
