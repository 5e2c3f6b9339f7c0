// One MaxMind DB file held in memory: opened and checked at load, then asked synchronously. What was read from a
// record is remembered by the record, not by the address: most clients of one city share one.
import { readFile } from 'node:fs/promises'
import { Reader } from 'maxmind'
import type { Response } from 'maxmind'
import { messageOf, systemCode } from '../errors.ts'
import { parseIp } from '../net/ip.ts'
import type { IpAddress } from '../net/ip.ts'
import { RECORDS_REMEMBERED_MAX } from './limits.ts'
import { recordReader } from './mmdb-record.ts'
import type { WantedFields } from './mmdb-record.ts'
import { NO_RECORD, mmdbTree } from './mmdb-tree.ts'
import { RecordMemory } from './record-memory.ts'
import type { Packing } from './record-memory.ts'

export interface Mmdb<T> {
  readonly file: string
  /** What the record that covers the address says; undefined when there is none, or nothing of use in it. */
  readonly find: (address: IpAddress) => T | undefined
  /**
   * Of an address that was just looked for: bits of a prefix whose addresses all find what this one found, also where
   * that failed; a longer one than need be where records repeat.
   */
  readonly prefixFound: () => number
}

/** What is read of the records of a file. */
export interface RecordKind<T> extends Packing<T> {
  readonly fields: WantedFields
  /** Takes those fields, of a record of whatever shape; undefined: it says nothing of use. */
  readonly read: (record: unknown) => T | undefined
}

/** Bytes of zero between tree and data. */
const SEPARATOR_BYTES = 16

/** Rejects with one sentence when the file is not of use. */
export async function loadMmdb<T>(file: string, kind: RecordKind<T>): Promise<Mmdb<T>> {
  const bytes = await readBytes(file)
  const { metadata } = openReader(bytes, file)
  const { nodeCount, searchTreeSize } = metadata
  const tree = mmdbTree(bytes, metadata)
  const readRecord = recordReader(bytes, searchTreeSize + SEPARATOR_BYTES, kind.fields)
  const memory = new RecordMemory(placesFor(nodeCount), kind)
  const find = (address: IpAddress): T | undefined => {
    const record = tree.recordOf(address)
    if (record === NO_RECORD) return undefined
    const place = memory.placeOf(record)
    if (memory.holds(place, record)) return memory.valueAt(place)
    const found = kind.read(readRecord(record - nodeCount + searchTreeSize))
    memory.keep(place, record, found)
    return found
  }
  check(file, SAMPLES.filter((address) => tree.recordOf(address) !== NO_RECORD).map(tried(file, find)))
  return { file, find, prefixFound: () => tree.bitsRead() }
}

/** A file has no more records than nodes and one. */
function placesFor(nodeCount: number): number {
  return Math.min(RECORDS_REMEMBERED_MAX, 2 ** Math.ceil(Math.log2(nodeCount + 1)))
}

function tried<T>(file: string, decode: (address: IpAddress) => T | undefined) {
  return (address: IpAddress): T | undefined => {
    try {
      return decode(address)
    } catch (cause) {
      throw new Error(`${file} is damaged: ${messageOf(cause)}`, { cause })
    }
  }
}

/** A file of another kind, such as one of domain names where cities were meant, has records and nothing of use. */
function check(file: string, found: readonly unknown[]): void {
  if (found.length > 0 && found.every((value) => value === undefined)) {
    throw new Error(`${file} is of another kind: its records say nothing of what is looked for`)
  }
}

// Spread over both address spaces, so that a cut or scrambled file is noticed at load.
const KNOWN = ['1.1.1.1', '93.184.216.34', '202.96.128.86', '2001:4860::1', '2a00:1450::1', '240e::1']
const SAMPLES = [
  ...KNOWN,
  ...Array.from({ length: 56 }, (_, i) => `${i * 4 + 1}.${(i * 37) % 256}.8.8`),
  ...Array.from({ length: 16 }, (_, i) => `2${i.toString(16)}00:${(i * 37).toString(16)}::1`),
]
  .map(parseIp)
  .filter((address) => address !== undefined)

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    const reason = systemCode(cause) === 'ENOENT' ? 'does not exist' : `cannot be read: ${messageOf(cause)}`
    throw new Error(`${file} ${reason}`, { cause })
  }
}

function openReader(bytes: Buffer, file: string): Reader<Response> {
  try {
    const reader = new Reader<Response>(bytes)
    const { binaryFormatMajorVersion, nodeCount, searchTreeSize } = reader.metadata
    if (binaryFormatMajorVersion !== 2) throw new Error(`format version ${binaryFormatMajorVersion}`)
    if (!(nodeCount > 0) || searchTreeSize > bytes.length) throw new Error('the search tree is cut short')
    return reader
  } catch (cause) {
    throw new Error(`${file} is not a MaxMind DB file: ${messageOf(cause)}`, { cause })
  }
}
