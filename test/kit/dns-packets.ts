// Packets for fuzzing DNS: octets without any plan, and queries of which some are changed, cut out, doubled or put in.
import { nameBytes, optBytes, optionBytes, queryBytes, uint16 } from './dns-bytes.ts'

/** A whole number below `bound`. */
export type Pick = (bound: number) => number

/** xorshift32, so that the seed repeats a run. */
export function picker(seed: number): Pick {
  let state = seed || 1
  return (bound) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % bound
  }
}

const SUBNET = optionBytes(8, '00011400c00000')
const SUBNET6 = optionBytes(8, '0002380020010db8000100')
export const CLIENT_COOKIE = optionBytes(10, '11'.repeat(8))
export const OPTIONS = [SUBNET, CLIENT_COOKIE, optionBytes(3), SUBNET6, optionBytes(11)]
const TSIG = Buffer.concat([nameBytes('key'), uint16(250, 255, 0, 0, 20), Buffer.alloc(20, 1)])

/** Proper ones and others, for damage to start from. */
export const WHOLE_PACKETS: readonly Buffer[] = [
  queryBytes(),
  queryBytes({
    flags: 0x0130,
    name: 'wWw.eXample.com',
    type: 28,
    records: [optBytes({ options: OPTIONS.slice(0, 3) })],
  }),
  queryBytes({
    name: `${'x'.repeat(63)}.`.repeat(3) + 'y'.repeat(61),
    records: [optBytes({ options: OPTIONS.slice(1) })],
  }),
  queryBytes({ records: [optBytes({ udpBytes: 4096, options: [CLIENT_COOKIE] }), TSIG] }),
  queryBytes({
    type: 251,
    counts: [1, 0, 1, 0],
    records: [Buffer.concat([Buffer.of(0xc0, 0x0c), uint16(6, 1, 0, 0, 2, 0)])],
  }),
  queryBytes({ flags: 5 << 11, counts: [1, 0, 1, 0], records: [TSIG] }),
  queryBytes({ flags: 0x8400, records: [optBytes()] }),
  // Asks for a cookie alone (RFC 7873 §5.4).
  Buffer.concat([uint16(0x1234, 0, 0, 0, 0, 1), optBytes({ options: [CLIENT_COOKIE] })]),
]

/** What lengths, counts and pointers turn on. */
const HEX = '00 3f 40 ff c00c c000 ffff 0001 000a 0029 0000290200000000000000'.split(' ')
const PIECES = [
  ...HEX.map((hex) => Buffer.from(hex, 'hex')),
  ...OPTIONS,
  TSIG,
  optBytes({ options: [SUBNET] }),
]

export function makePacket(pick: Pick, whole: readonly Buffer[] = WHOLE_PACKETS): Buffer {
  if (pick(10) === 0) return Buffer.from(Array.from({ length: pick(80) }, () => pick(256)))
  let bytes = Buffer.from(whole[pick(whole.length)] ?? '')
  for (let times = pick(4); times > 0; times -= 1) {
    const at = pick(bytes.length + 1)
    const kind = pick(6)
    if (kind < 2 && at < bytes.length) bytes[at] = pick(256)
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + pick(20))])
    else if (kind === 3)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - pick(20)))])
    else if (kind === 4) {
      const piece = PIECES[pick(PIECES.length)] ?? bytes
      bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + pick(2) * piece.length)])
    } else if (pick(4) === 0) bytes = bytes.subarray(0, at)
    else if (at > 4 && at < 12) bytes[at] = pick(3)
  }
  return bytes
}
