// The form of records that signatures are made over (RFC 4034 §6): every signer and every resolver must arrive at the
// same octets, however the records were written and in whatever order they are sent.
import assert from 'node:assert/strict'
import { CLASS, TYPE } from '../message/codes.ts'
import type { WireName } from '../message/names.ts'
import type { DnsRecord } from '../message/records.ts'

/** The records of one owner and type: what one signature is for. */
export interface RecordSet {
  readonly owner: WireName
  readonly type: number
  /** RFC 2181 §5.2: a set has one lifetime; of several, the shortest. */
  readonly ttlSeconds: number
  readonly data: readonly Uint8Array[]
}

/**
 * Types whose names are lower-cased (RFC 4034 §6.2, without those that RFC 6840 §5.1 takes off its list), with the
 * octets before the first name and after the last. All that lies between is names: a label's length is never a letter.
 * NAPTR, where strings come first, is not served.
 */
const NAMES_IN_DATA: ReadonlyMap<number, { readonly before: number; readonly after: number }> = new Map([
  [TYPE.NS, { before: 0, after: 0 }],
  [TYPE.CNAME, { before: 0, after: 0 }],
  [TYPE.PTR, { before: 0, after: 0 }],
  [TYPE.DNAME, { before: 0, after: 0 }],
  [TYPE.SOA, { before: 0, after: 20 }],
  [TYPE.MX, { before: 2, after: 0 }],
  [TYPE.SRV, { before: 6, after: 0 }],
])

/** Of each record before its data: type, class, TTL, length of the data. */
const FIXED_BYTES = 10
const LETTER_A = 0x41
const LETTER_Z = 0x5a
const TO_LOWER = 0x20

/** In the order in which their first records come. */
export function recordSetsOf(records: readonly DnsRecord[]): RecordSet[] {
  const sets = new Map<string, DnsRecord[]>()
  for (const record of records) {
    const key = `${record.type} ${record.owner}`
    const set = sets.get(key)
    if (set === undefined) sets.set(key, [record])
    else set.push(record)
  }
  return [...sets.values()].map((members) => recordSetOf(members))
}

function recordSetOf(members: readonly DnsRecord[]): RecordSet {
  const [first] = members
  assert(first !== undefined)
  const ttlSeconds = Math.min(...members.map((record) => record.ttlSeconds))
  return { owner: first.owner, type: first.type, ttlSeconds, data: members.map((record) => record.data) }
}

/** All records of the set one after another: data in canonical form, sorted by it, each once (§6.2, §6.3). */
export function canonicalOctets({ owner, type, ttlSeconds, data }: RecordSet): Buffer {
  const distinct = sortedOnce(data.map((rdata) => canonicalData(type, rdata)))
  const length = distinct.reduce((sum, rdata) => sum + owner.length + FIXED_BYTES + rdata.length, 0)
  const octets = Buffer.allocUnsafe(length)
  let at = 0
  for (const rdata of distinct) {
    at += octets.write(owner, at, 'latin1')
    at = octets.writeUInt16BE(type, at)
    at = octets.writeUInt16BE(CLASS.IN, at)
    at = octets.writeUInt32BE(ttlSeconds, at)
    at = octets.writeUInt16BE(rdata.length, at)
    octets.set(rdata, at)
    at += rdata.length
  }
  return octets
}

function sortedOnce(data: readonly Uint8Array[]): readonly Uint8Array[] {
  if (data.length < 2) return data
  const sorted = data.toSorted((x, y) => Buffer.compare(x, y))
  return sorted.filter((rdata, i) => {
    const before = sorted[i - 1]
    return before === undefined || Buffer.compare(before, rdata) !== 0
  })
}

function canonicalData(type: number, data: Uint8Array): Uint8Array {
  const names = NAMES_IN_DATA.get(type)
  return names === undefined ? data : lowerCased(data, names.before, data.length - names.after)
}

/** The same array where nothing changes. */
function lowerCased(data: Uint8Array, from: number, to: number): Uint8Array {
  let changed: Uint8Array | undefined
  for (let i = from; i < to; i++) {
    const octet = data[i] ?? 0
    if (octet < LETTER_A || octet > LETTER_Z) continue
    changed ??= Uint8Array.from(data)
    changed[i] = octet + TO_LOWER
  }
  return changed ?? data
}
