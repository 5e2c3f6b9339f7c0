// Before anything is timed: every object is in the cache, comes back with the right bytes, and is a hit.
import { setTimeout as delay } from 'node:timers/promises'
import { COUNT_PATH } from './origin.ts'
import { objectBody, objectPath } from './objects.ts'
import type { Peer } from './peer.ts'

/** Each object is asked for this often: a tier may take an object only when it is wanted again. */
const PASSES = 4
/** For writes to disk that go on behind the reply. */
const SETTLE_MS = 500

export async function warm(peer: Peer, origin: string, bytes: number, count: number): Promise<void> {
  for (let pass = 0; pass < PASSES; pass++) {
    await passOver(peer, bytes, count)
    if (pass === 0) await delay(SETTLE_MS)
  }
  const before = await originCount(origin)
  await passOver(peer, bytes, count)
  const asked = (await originCount(origin)) - before
  if (asked > 0) throw new Error(`${peer.name} asked the origin ${asked} times for ${count} warm objects`)
  const held = await peer.bodyBytesInMemory?.()
  if (held !== undefined && peer.memoryBytes >= bytes * count && held < bytes * count)
    throw new Error(`${peer.name} holds ${held} bytes in memory of ${bytes * count} that it was to`)
}

async function passOver(peer: Peer, bytes: number, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    const path = objectPath(bytes, number)
    const response = await fetch(peer.url + path)
    const body = Buffer.from(await response.arrayBuffer())
    if (response.status !== 200) throw new Error(`${peer.name} answers ${response.status} for ${path}`)
    if (!body.equals(objectBody(bytes, number))) throw new Error(`${peer.name} gives other bytes for ${path}`)
  }
}

export async function originCount(origin: string): Promise<number> {
  return Number(await (await fetch(origin + COUNT_PATH)).text())
}
