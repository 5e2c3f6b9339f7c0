// What a resolver does with a signature, written from RFC 4034 §3.1.8.1 on dns-packet's encoding and none of ours.
import { createPublicKey, verify } from 'node:crypto'
import dnsPacket from 'dns-packet'
import type { Answer, RrsigAnswer } from 'dns-packet'
import type { DnsRecord } from '../../scheduler/dns/message/records.ts'

const HEADER_BYTES = 12
/** Type, class, TTL and length. */
const FIXED_BYTES = 10

/** Presentation form without escapes, as dns-packet encodes it. */
export function wireName(text: string): string {
  const question = dnsPacket.encode({ questions: [{ type: 'A', name: text.toLowerCase() }] })
  return question.toString('latin1', HEADER_BYTES, question.length - 4)
}

/** A record in the shape of the server, its data encoded by dns-packet. */
export function recordOf(answer: Answer): DnsRecord {
  const octets = encoded(answer)
  const owner = wireName(answer.name)
  return {
    owner,
    type: octets.readUInt16BE(owner.length),
    ttlSeconds: octets.readUInt32BE(owner.length + 4),
    data: octets.subarray(owner.length + FIXED_BYTES),
  }
}

export function rrsigOf(record: DnsRecord): RrsigAnswer {
  const octets = Buffer.concat([Buffer.from(record.owner, 'latin1'), Buffer.alloc(FIXED_BYTES), record.data])
  octets.writeUInt16BE(record.type, record.owner.length)
  octets.writeUInt16BE(1, record.owner.length + 2)
  octets.writeUInt32BE(record.ttlSeconds, record.owner.length + 4)
  octets.writeUInt16BE(record.data.length, record.owner.length + 8)
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(0x8000, 2)
  header.writeUInt16BE(1, 6)
  const [answer] = dnsPacket.decode(Buffer.concat([header, octets])).answers ?? []
  if (answer?.type !== 'RRSIG') throw new Error(`no RRSIG: ${answer?.type}`)
  return answer
}

/** Whether the signature holds for the records as they were signed: names in lower case, a wildcard's own name. */
export function signatureHolds(rrsig: RrsigAnswer, records: readonly Answer[], dnskey: Uint8Array): boolean {
  const head = encoded({ ...rrsig, data: { ...rrsig.data, signature: Buffer.alloc(0) } })
  const set = records.map((record) => {
    const dataAt = wireName(record.name).length + FIXED_BYTES
    return { octets: encoded(record), dataAt }
  })
  const sorted = set.toSorted((x, y) => x.octets.subarray(x.dataAt).compare(y.octets.subarray(y.dataAt)))
  const signed = [
    head.subarray(wireName(rrsig.name).length + FIXED_BYTES),
    ...sorted.map(({ octets }) => octets),
  ]
  const key = { key: publicKeyOf(dnskey), dsaEncoding: 'ieee-p1363' } as const
  return verify('sha256', Buffer.concat(signed), key, rrsig.data.signature)
}

function publicKeyOf(dnskey: Uint8Array) {
  const point = Buffer.from(dnskey).subarray(4)
  const [x, y] = [point.toString('base64url', 0, 32), point.toString('base64url', 32)]
  return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } })
}

function encoded(answer: Answer): Buffer {
  return dnsPacket.encode({ type: 'response', answers: [answer] }).subarray(HEADER_BYTES)
}
