// DNS messages as their octets, written out by hand rather than by the code under test, right or wrong as asked for.
import assert from 'node:assert/strict'
import { wireNameOf } from '../../scheduler/dns/message/names.ts'
import type { WireName } from '../../scheduler/dns/message/names.ts'

export function uint16(...values: number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [(value >>> 8) & 0xff, value & 0xff]))
}

/** Of a name that is one. */
export function wire(text: string): WireName {
  const name = wireNameOf(text)
  assert(name !== undefined, `${text} is no name`)
  return name
}

/** Length octets and labels as they are, in their case. */
export function nameBytes(text: string): Buffer {
  const labels = text === '.' ? [] : text.split('.')
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]),
    Buffer.of(0),
  ])
}

export interface QueryParts {
  readonly flags?: number
  readonly name?: string | Buffer
  readonly type?: number
  /** QDCOUNT, ANCOUNT, NSCOUNT and ARCOUNT. */
  readonly counts?: readonly [number, number, number, number]
  /** What follows the question; counted in ARCOUNT where no counts are given. */
  readonly records?: readonly Buffer[]
}

/** Asks for the A records of www.example.com, id 0x1234. */
export function queryBytes(parts: QueryParts = {}): Buffer {
  const { flags = 0, name = 'www.example.com', type = 1, records = [] } = parts
  return Buffer.concat([
    uint16(0x1234, flags, ...(parts.counts ?? [1, 0, 0, records.length])),
    typeof name === 'string' ? nameBytes(name) : name,
    uint16(type, 1),
    ...records,
  ])
}

export interface OptParts {
  readonly owner?: Buffer
  readonly udpBytes?: number
  readonly version?: number
  /** The upper bit is DO. */
  readonly flags?: number
  readonly options?: readonly Buffer[]
}

export function optBytes(parts: OptParts = {}): Buffer {
  const { owner = Buffer.of(0), udpBytes = 1232, version = 0, flags = 0, options = [] } = parts
  const data = Buffer.concat(options)
  return Buffer.concat([owner, uint16(41, udpBytes, version, flags, data.length), data])
}

/** An option of its data in hex. */
export function optionBytes(code: number, hex = ''): Buffer {
  const data = Buffer.from(hex, 'hex')
  return Buffer.concat([uint16(code, data.length), data])
}

/** Throws when an octet is asked for that it does not have. */
export function watched(packet: Buffer): Buffer {
  return new Proxy(packet, {
    get(target, key) {
      const isBehind = typeof key === 'string' && Number(key) >= target.length
      assert.ok(!isBehind, 'read past the end')
      return Reflect.get(target, key)
    },
  })
}
