// The question that `edgeward explain --dns` asks about, read from its words.
import { InquiryError } from '../../src/inquiry.ts'
import { parseIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { TYPE, typeNumber } from '../dns/message/codes.ts'
import { wireNameOf } from '../dns/message/names.ts'
import type { WireName } from '../dns/message/names.ts'

export interface DnsInquiry {
  readonly name: WireName
  readonly types: readonly number[]
  readonly client: IpAddress
}

export interface DnsWords {
  readonly dns: string
  readonly client?: string | undefined
  /** Left out: both address families. */
  readonly type?: string | undefined
}

/** No question is about these: the one belongs to the transport, the other only denies. */
const NO_QUESTION: ReadonlySet<number> = new Set([TYPE.OPT, TYPE.NXNAME])

/** Throws InquiryError. */
export function readDnsInquiry({ dns, client, type }: DnsWords): DnsInquiry {
  const name = wireNameOf(dns)
  if (name === undefined) throw new InquiryError('dns must be a domain name such as shows.cdn.example.com')
  if (client === undefined)
    throw new InquiryError('client is missing: the address of a client, or of its resolver')
  const address = parseIp(client)
  if (address === undefined) throw new InquiryError('client must be an IP address such as 203.0.113.9')
  return { name, types: type === undefined ? [TYPE.A, TYPE.AAAA] : [readType(type)], client: address }
}

function readType(text: string): number {
  const type = typeNumber(text)
  if (type === undefined || NO_QUESTION.has(type))
    throw new InquiryError('type must be one that can be asked for, such as A, AAAA, HTTPS or TYPE65')
  return type
}
