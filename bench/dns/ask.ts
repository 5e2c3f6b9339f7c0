// Asks a name server a few questions before it is measured, and reads its replies with another codec than ours.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import dnsPacket from 'dns-packet'

const REPLY_WITHIN_MS = 2000
/** While a server starts it is asked often. */
const FIRST_REPLY_WITHIN_MS = 200
/** Bytes of DNS's header that hold flags, the last four bits the response code. */
const RCODE_BITS = 0x0f

export interface Asking {
  readonly server: string
  readonly port: number
  /** The resolver's address. */
  readonly from: string
}

/** Whether the server answers the name at all. */
export async function isAnswered(port: number, name: string): Promise<boolean> {
  const packet = dnsPacket.encode({ type: 'query', id: 1, questions: [{ type: 'A', name }] })
  const asking = { server: '127.0.0.1', port, from: '127.0.0.1' }
  return (await addressesFor(asking, [packet], FIRST_REPLY_WITHIN_MS).catch(() => [])).length === 1
}

/** The addresses of each reply, in order; throws when one is not of address records alone. */
export async function addressesFor(
  { server, port, from }: Asking,
  packets: readonly Buffer[],
  withinMs = REPLY_WITHIN_MS,
): Promise<string[][]> {
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4')
  try {
    socket.bind(0, from)
    await once(socket, 'listening')
    const found: string[][] = []
    for (const packet of packets) {
      const reply = once(socket, 'message')
      socket.send(packet, port, server)
      const message: unknown = (await Promise.race([reply, delay(withinMs, [], { ref: false })]))[0]
      if (!Buffer.isBuffer(message)) throw new Error(`no reply from ${server}:${port}`)
      found.push(addressesIn(message))
    }
    return found
  } finally {
    socket.close()
  }
}

function addressesIn(message: Buffer): string[] {
  const { answers = [] } = dnsPacket.decode(message)
  const rcode = message.readUInt8(3) & RCODE_BITS
  const addresses = answers.flatMap((one) => (one.type === 'A' || one.type === 'AAAA' ? [one.data] : []))
  if (rcode !== 0 || addresses.length === 0 || addresses.length !== answers.length) {
    throw new Error(`a reply of code ${rcode} with ${JSON.stringify(answers)}`)
  }
  return addresses
}
