// RDATA of the records that are made at the start, in wire form: static ones as the configuration writes them, and those
// of our own. dns-packet encodes them; no query waits for it.
import dnsPacket from 'dns-packet'
import type { Answer } from 'dns-packet'
import { CAA_DATA, CAA_TAGS } from '../../../src/config/dns-values.ts'
import type { RecordType } from '../../../src/config/dns-values.ts'
import type { IpAddress } from '../../../src/net/ip.ts'
import { TYPE } from '../message/codes.ts'
import { wireNameOf } from '../message/names.ts'
import type { WireName } from '../message/names.ts'
import { HEADER_BYTES, RECORD_FIXED_BYTES } from '../message/octets.ts'

/** Of the first record of a message without a question, whose owner is the root. */
const DATA_AT = HEADER_BYTES + 1 + RECORD_FIXED_BYTES
const TEXT_BYTES_MAX = 255

/** `data` was checked by the schema. */
export function staticData(type: RecordType, data: string): Uint8Array {
  return encode(answerOf(type, data))
}

function answerOf(type: RecordType, data: string): Answer {
  const record = { name: '.', ttl: 0, class: 'IN' } as const
  switch (type) {
    case 'A':
    case 'AAAA':
      return { ...record, type, data }
    case 'CNAME':
    case 'NS':
      return { ...record, type, data: withoutDot(data) }
    case 'MX': {
      const [preference, exchange = ''] = data.split(' ')
      return { ...record, type, data: { preference: Number(preference), exchange: withoutDot(exchange) } }
    }
    case 'SRV': {
      const [priority, weight, port, target = ''] = data.split(' ')
      return {
        ...record,
        type,
        data: {
          priority: Number(priority),
          weight: Number(weight),
          port: Number(port),
          target: withoutDot(target),
        },
      }
    }
    case 'CAA': {
      const [, flags, tag, value = ''] = CAA_DATA.exec(data) ?? []
      return { ...record, type, data: { flags: Number(flags), tag: caaTagOf(tag), value } }
    }
    case 'TXT':
      return { ...record, type, data: textPieces(data) }
    default:
      throw new Error(`no encoding of ${String(type satisfies never)}`)
  }
}

function caaTagOf(text = ''): (typeof CAA_TAGS)[number] {
  return CAA_TAGS.find((tag) => tag === text) ?? 'issue'
}

/** A text of more than 255 octets is several (RFC 7208 §3.3). */
function textPieces(text: string): string[] {
  return Array.from({ length: Math.ceil(text.length / TEXT_BYTES_MAX) }, (_, i) =>
    text.slice(i * TEXT_BYTES_MAX, (i + 1) * TEXT_BYTES_MAX),
  )
}

function withoutDot(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

function encode(answer: Answer): Uint8Array {
  return Uint8Array.from(dnsPacket.encode({ type: 'response', answers: [answer] }).subarray(DATA_AT))
}

/** `mname` and `rname` are names; times are in seconds. */
export function soaData(soa: {
  readonly mname: string
  readonly rname: string
  readonly serial: number
  readonly minimum: number
}): Uint8Array {
  return encode({ name: '.', type: 'SOA', ttl: 0, class: 'IN', data: { ...soa, ...SECONDARIES } })
}

/** For secondaries, which there are none of: each scheduler makes its answers itself. Usual values (RFC 1912 §2.2). */
const SECONDARIES = { refresh: 7200, retry: 900, expire: 1_209_600 }

/** RFC 8482 §4.2. */
export const ANY_DATA: Uint8Array = encode({
  name: '.',
  type: 'HINFO',
  ttl: 0,
  class: 'IN',
  data: { cpu: 'RFC8482', os: '' },
})

export function addressType({ family }: IpAddress): number {
  return family === 4 ? TYPE.A : TYPE.AAAA
}

/** A name that the schema has checked. */
export function checkedName(text: string): WireName {
  const name = wireNameOf(text)
  if (name === undefined) throw new Error(`${text} is not a domain name`)
  return name
}
