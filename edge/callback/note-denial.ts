// When a reply is over that refused somebody: counted, and told to whoever listens for denials.
import { clientTextOf } from '../access/client.ts'
import type { Exchange } from '../exchange.ts'

export function noteDenial(exchange: Exchange): void {
  const { access, edge, property, reply } = exchange
  if (access.denial === null || property === null) return
  edge.denials.count(property.id, access.denial)
  if (property.events === undefined) return
  edge.events.denied({
    property: property.id,
    reason: access.denial,
    status: reply.status,
    address: clientTextOf(exchange),
  })
}
