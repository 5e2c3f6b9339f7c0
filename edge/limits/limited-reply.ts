// What the rest of the flow asks of the limits while a request is answered, and when it is over. Of a request that
// nothing limits each costs one comparison.
import type { HttpReply } from '../../src/http/transaction.ts'
import type { Exchange } from '../exchange.ts'

/** Whether a body at hand may leave in one write. If not, it goes through `writerOf`. */
export function leavesAtOnce({ edge, limited, form }: Exchange, bytes: number): boolean {
  if (limited === null) return true
  if (form === null) return edge.limiter.sendsWhole(limited, bytes)
  // A playlist is short, and what a live player waits for: it counts, but does not wait.
  edge.limiter.charge(limited, bytes)
  return true
}

/** Where the pieces of a body are written. */
export function writerOf({ edge, limited, reply }: Exchange): Pick<HttpReply, 'write'> {
  return limited === null ? reply : edge.limiter.writerOf(limited, reply)
}

/** The reply is over, however it ended: once for each exchange. */
export function leaveLimits({ edge, limited, reply, path }: Exchange): void {
  if (limited !== null) edge.limiter.leave(limited, reply.bodyBytes, path)
}
