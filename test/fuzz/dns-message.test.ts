// The DNS codec under packets of any octets, most of them queries with damage: nothing is thrown, nothing behind the end
// has a say, no answer is answered, and each reply keeps its bound and can be decoded. A failure prints its seed.
// For more of it, set EDGEWARD_FUZZ_PACKETS and run the file with node itself.
import assert from 'node:assert/strict'
import { decode } from 'dns-packet'
import t from 'tap'
import { RCODE, TYPE } from '../../scheduler/dns/message/codes.ts'
import { readQuery } from '../../scheduler/dns/message/query.ts'
import type { QueryReading } from '../../scheduler/dns/message/query.ts'
import { NO_SECTIONS, prepareSections } from '../../scheduler/dns/message/records.ts'
import type { DnsRecord } from '../../scheduler/dns/message/records.ts'
import { udpReplyBytes, writeReply } from '../../scheduler/dns/message/reply.ts'
import { systemRandom } from '../../src/clock.ts'
import { watched, wire } from '../kit/dns-bytes.ts'
import { makePacket, picker } from '../kit/dns-packets.ts'

const PACKETS = Number(process.env['EDGEWARD_FUZZ_PACKETS'] ?? '120000')
const seed = Math.floor(systemRandom() * 2 ** 32)
const pick = picker(seed)

const DATA: readonly (readonly [number, Buffer])[] = [
  [TYPE.A, Buffer.of(192, 0, 2, 1)],
  [TYPE.TXT, Buffer.of(2, 0x68, 0x69)],
  [TYPE.HTTPS, Buffer.of(0, 1, 0)],
]
const RECORDS = ['www.example.com', 'example.com', 'ns.example.com', 'com', 'a.org'].flatMap((owner) =>
  DATA.map(([type, data]): DnsRecord => ({ owner: wire(owner), type, ttlSeconds: 20, data })),
)
const someRecords = (max: number) =>
  Array.from({ length: pick(max) }).flatMap(() => RECORDS[pick(RECORDS.length)] ?? [])
const RCODES = Object.values(RCODE)
const UNTOUCHED = Buffer.alloc(4096, 0xee)
const out = Buffer.from(UNTOUCHED)

/** Also from a larger buffer with other octets behind it, which must change nothing. */
function read(packet: Buffer): QueryReading {
  const reading = readQuery(watched(packet), packet.length + 64)
  const room = Buffer.alloc(packet.length + 64, pick(2) * 0xff)
  packet.copy(room)
  assert.deepEqual(readQuery(room, packet.length), reading)
  return reading
}

function answer(packet: Buffer, reading: QueryReading): void {
  if (reading.outcome === 'drop') return
  assert.equal((packet[2] ?? 0xff) & 0x80, 0, 'no answer is answered')
  const isQuery = reading.outcome === 'query'
  const sections = isQuery
    ? prepareSections(reading.name, {
        answer: someRecords(30),
        authority: someRecords(3),
        additional: someRecords(20),
      })
    : NO_SECTIONS
  const reply = {
    rcode: RCODES[pick(RCODES.length)] ?? 0,
    isAuthoritative: pick(2) === 0,
    isTruncated: pick(10) === 0,
    sections,
    options: {
      scopePrefix: pick(33),
      cookie: Buffer.alloc(24, 7),
      nsid: Buffer.alloc(pick(100), 'n'),
      extendedError: pick(2) === 0 ? { code: pick(30), text: 'x'.repeat(pick(100)) } : undefined,
    },
  }
  const bytesMax = pick(2) === 0 ? udpReplyBytes(reading) : 512 + pick(3000)
  UNTOUCHED.copy(out)
  const end = writeReply(out, packet, reading, reply, bytesMax)
  assert.ok(end <= bytesMax, 'no more than allowed')
  assert.ok(out.subarray(end).equals(UNTOUCHED.subarray(end)), 'nothing behind it')
  const message = out.subarray(0, end)
  const decoded = decode(message)
  assert.equal(decode.bytes, end)
  assert.equal(decoded.type, 'response')
  assert.deepEqual(message.subarray(12, reading.questionEnd), packet.subarray(12, reading.questionEnd))
  assert.equal(readQuery(message, end).outcome, 'drop', 'nor is this one')
}

t.test(`${PACKETS} packets, seed ${seed}`, { timeout: 30_000 + PACKETS }, async (t) => {
  const seen = { query: 0, cookie: 0, formerr: 0, notimp: 0, drop: 0 }
  for (let i = 0; i < PACKETS; i += 1) {
    const packet = makePacket(pick)
    try {
      const reading = read(packet)
      seen[reading.outcome] += 1
      answer(packet, reading)
    } catch (error) {
      throw new Error(`seed ${seed}, packet ${i}: ${packet.toString('hex')}`, { cause: error })
    }
  }
  t.comment(seen)
  for (const [outcome, count] of Object.entries(seen)) t.ok(count > PACKETS / 100, `${outcome}: ${count}`)
})
