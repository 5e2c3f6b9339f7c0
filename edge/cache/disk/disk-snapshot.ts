// The mark of a clean stop: the index as it was, in the order of eviction. Its presence says that every file
// was written whole; its states, which bodies have been verified. It counts for the same boot of the machine
// only: what a power cut took from files that were never synced shows at the next one.
import { readFileSync, writeFileSync } from 'node:fs'
import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { VERIFIED } from './disk-index.ts'
import type { IndexedSlice, SliceIndex } from './disk-index.ts'

const MAGIC = 0x45_57_49_31 // 'EWI1'
export const SNAPSHOT_HEAD_BYTES = 32
const ENTRY_BYTES = 17

/* Head, big-endian: 0 magic u32 · 4 boot 12 bytes · 16 slices u32 · 20 unverified u32 · 24 CRC of the entries u32
   · 28 CRC of the 28 bytes before u32. Entry: id 3 x u32 · bytes u32 · state u8 */

export interface SnapshotHead {
  readonly slices: number
  readonly unverified: number
  readonly entriesCrc: number
}

export function encodeSnapshot(index: SliceIndex, boot: string): Buffer {
  const snapshot = Buffer.allocUnsafe(SNAPSHOT_HEAD_BYTES + index.count * ENTRY_BYTES)
  let at = SNAPSHOT_HEAD_BYTES
  let unverified = 0
  for (const { id, bytes, state } of index.slices()) {
    snapshot.writeUInt32BE(id.a, at)
    snapshot.writeUInt32BE(id.b, at + 4)
    snapshot.writeUInt32BE(id.c, at + 8)
    snapshot.writeUInt32BE(bytes, at + 12)
    snapshot.writeUInt8(state, at + 16)
    if ((state & VERIFIED) === 0) unverified++
    at += ENTRY_BYTES
  }
  snapshot.writeUInt32BE(MAGIC, 0)
  bootMark(boot).copy(snapshot, 4)
  snapshot.writeUInt32BE(index.count, 16)
  snapshot.writeUInt32BE(unverified, 20)
  snapshot.writeUInt32BE(crc32(snapshot.subarray(SNAPSHOT_HEAD_BYTES)), 24)
  snapshot.writeUInt32BE(crc32(snapshot.subarray(0, 28)), 28)
  return snapshot
}

/** undefined when these are not the first bytes of a snapshot of this boot, `fileBytes` long. */
export function decodeSnapshotHead(bytes: Buffer, fileBytes: number, boot: string): SnapshotHead | undefined {
  if (bytes.length < SNAPSHOT_HEAD_BYTES || bytes.readUInt32BE(0) !== MAGIC) return undefined
  if (bytes.readUInt32BE(28) !== crc32(bytes.subarray(0, 28))) return undefined
  if (boot === '' || !bytes.subarray(4, 16).equals(bootMark(boot))) return undefined
  const slices = bytes.readUInt32BE(16)
  if (fileBytes !== SNAPSHOT_HEAD_BYTES + slices * ENTRY_BYTES) return undefined
  return { slices, unverified: bytes.readUInt32BE(20), entriesCrc: bytes.readUInt32BE(24) }
}

/** Of a whole snapshot; undefined when its entries are damaged. */
export function decodeSnapshot(bytes: Buffer, boot: string): Iterable<IndexedSlice> | undefined {
  const head = decodeSnapshotHead(bytes, bytes.length, boot)
  if (head === undefined || crc32(bytes.subarray(SNAPSHOT_HEAD_BYTES)) !== head.entriesCrc) return undefined
  return entriesOf(bytes)
}

function* entriesOf(bytes: Buffer): Generator<IndexedSlice> {
  for (let at = SNAPSHOT_HEAD_BYTES; at < bytes.length; at += ENTRY_BYTES) {
    yield {
      id: { a: bytes.readUInt32BE(at), b: bytes.readUInt32BE(at + 4), c: bytes.readUInt32BE(at + 8) },
      bytes: bytes.readUInt32BE(at + 12),
      state: bytes.readUInt8(at + 16),
    }
  }
}

function bootMark(boot: string): Buffer {
  return hash('sha256', boot, 'buffer').subarray(0, 12)
}

/** Tells this boot of the machine from all others; empty where the system does not say, and no stop is clean. */
export function currentBoot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

export function saveSnapshot(file: string, index: SliceIndex): void {
  writeFileSync(file, encodeSnapshot(index, currentBoot()))
}
