// How much memory the servers take once their memory tiers are full and have been replaced more than once:
// what a tier frees must come back, not only what it holds be counted.
import { objectBody, objectPath } from './objects.ts'
import type { Peer } from './peer.ts'

const OBJECT_BYTES = 2 * 2 ** 20
/** Cold objects, in tiers' worth. */
const TURNOVER = 1.5
/** As often as it takes until a tier takes an object. */
const PASSES = 3

export interface MemoryResult {
  readonly server: string
  readonly tierBytes: number
  readonly residentBytes: number
  readonly peakBytes: number
  /** Peak beyond the configured tier. */
  readonly overTierBytes: number
}

/** `firstNumber`: from here on nobody asked for objects yet. */
export async function measureMemory(peer: Peer, firstNumber: number): Promise<MemoryResult> {
  const count = Math.ceil((peer.memoryBytes * TURNOVER) / OBJECT_BYTES)
  for (let number = firstNumber; number < firstNumber + count; number++)
    for (let pass = 0; pass < PASSES; pass++) await drainObject(peer, number)
  const use = peer.program.memory()
  return {
    server: peer.name,
    tierBytes: peer.memoryBytes,
    ...use,
    overTierBytes: use.peakBytes - peer.memoryBytes,
  }
}

async function drainObject(peer: Peer, number: number): Promise<void> {
  const path = objectPath(OBJECT_BYTES, number)
  const body = await fetch(peer.url + path)
    .then(async (response) => Buffer.from(await response.arrayBuffer()))
    .catch((error: unknown) => {
      throw new Error(`${peer.name} did not give all of ${path}`, { cause: error })
    })
  if (!body.equals(objectBody(OBJECT_BYTES, number))) throw new Error(`${peer.name} gives other bytes`)
}
