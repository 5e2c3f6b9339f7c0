// One MaxMind DB file held in memory: opened and checked at load, then asked synchronously.
import { readFile } from 'node:fs/promises'
import { Reader } from 'maxmind'
import type { Response } from 'maxmind'
import { messageOf, systemCode } from '../errors.ts'
import { formatIp, parseIp } from '../net/ip.ts'
import type { IpAddress } from '../net/ip.ts'

export interface Mmdb {
  readonly file: string
  /** The record that covers the address, in whatever shape the file has; undefined when there is none. */
  find(address: IpAddress): unknown
}

/** Rejects with one sentence when the file cannot be read or is not such a database. */
export async function loadMmdb(file: string): Promise<Mmdb> {
  const reader = openReader(await readBytes(file), file)
  const ipv4Only = reader.metadata.ipVersion === 4
  const find = (address: IpAddress): unknown => {
    // Asked for an IPv6 address, a file of IPv4 networks would answer for its first 32 bits.
    if (ipv4Only && address.family === 6) return undefined
    return reader.get(formatIp(address)) ?? undefined
  }
  try {
    for (const sample of SAMPLES) find(sample)
  } catch (cause) {
    throw new Error(`${file} is damaged: ${messageOf(cause)}`, { cause })
  }
  return { file, find }
}

// Spread over both address spaces, so that a cut or scrambled file is noticed at load.
const SAMPLES = ['1.1.1.1', '93.184.216.34', '202.96.128.86', '2001:4860::1', '2a00:1450::1', '240e::1']
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
