// The AS number that a GeoIP record gives, in any of the shapes in use: MaxMind's GeoLite2-ASN and ISP
// ({autonomous_system_number}), Enterprise (the same under `traits`), and flat ones ({asn}: a number, or text such as
// `AS4134`).

import type { RecordKind } from './mmdb.ts'

/** RFC 6793: 32 bits; 0 is reserved (RFC 7607). */
const ASN_MAX = 4_294_967_295

const NUMBER = { autonomous_system_number: 'value' } as const

export const ASN_RECORD: RecordKind<number> = {
  fields: { ...NUMBER, asn: 'value', traits: NUMBER },
  read: asnOf,
  pack(asn, into, at) {
    into[at] = asn
  },
  unpack: (from, at) => from[at] ?? 0,
}

/** Undefined when the record gives none. */
export function asnOf(record: unknown): number | undefined {
  if (!isRecord(record)) return undefined
  const flat = numberOf(record['autonomous_system_number']) ?? numberOf(record['asn'])
  if (flat !== undefined) return flat
  const { traits } = record
  return isRecord(traits) ? numberOf(traits['autonomous_system_number']) : undefined
}

function numberOf(value: unknown): number | undefined {
  const digits = typeof value === 'string' ? /^(?:AS)?(\d{1,10})$/i.exec(value)?.[1] : undefined
  const number = digits === undefined ? value : Number(digits)
  return typeof number === 'number' && Number.isInteger(number) && number > 0 && number <= ASN_MAX
    ? number
    : undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
