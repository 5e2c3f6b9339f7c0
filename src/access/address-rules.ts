// Addresses of clients against networks, IPv4 and IPv6; an IPv4-mapped address is the IPv4 address.
import { buildCidrTree } from '../net/cidr-tree.ts'
import { formatIp, networkProblem, parseNetwork } from '../net/ip.ts'
import type { IpAddress } from '../net/ip.ts'
import type { Subject } from './access-request.ts'

export const addressSubject: Subject<IpAddress, string> = {
  read: (request) => request.address,
  show: formatIp,
  absent: 'the address is not known',
  unreadable: 'the address cannot be read',
  compile(entries, key) {
    const networks = entries.map((text, i) => {
      const network = parseNetwork(text)
      if (network === undefined) throw new Error(`${key}[${i}] ${networkProblem(text)}`)
      return { network, value: text }
    })
    const tree = buildCidrTree(networks)
    return { find: (address) => tree.find(address)?.value }
  },
}
