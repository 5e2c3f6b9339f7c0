// Whose request it is, asked for once and only where something goes by it: rules, tokens, limits, the log.
import { clientAddressOf } from '../../src/access/client-address.ts'
import { formatIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import type { Exchange } from '../exchange.ts'

/** undefined: its connection is gone already. */
export function clientOf({ access, edge, request }: Exchange): IpAddress | undefined {
  if (!access.isIdentified) {
    access.client = clientAddressOf(request.remoteAddress, request, edge.trustedProxies)
    access.isIdentified = true
  }
  return access.client
}

/** RFC 5952 text; '' when it is not known. */
export function clientTextOf(exchange: Exchange): string {
  const client = clientOf(exchange)
  return client === undefined ? '' : formatIp(client)
}
