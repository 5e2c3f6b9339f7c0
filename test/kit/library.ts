// A small library of objects behind an edge, of sizes around those of a slice, each with bytes of its own: an
// edge's replies are right, cleanly failed, or wrong, and wrong they must never be.
import { Agent } from 'node:http'
import { bytesOf } from './bytes.ts'
import { get } from './client.ts'
import type { Reply } from './client.ts'
import { startOrigin } from './scripted-origin.ts'
import type { ScriptedOrigin } from './scripted-origin.ts'
import type { TestScope } from './scope.ts'

export const LIBRARY_SLICE = 64 * 1024
const SIZES = [1, 1000, 40_000, LIBRARY_SLICE, LIBRARY_SLICE + 1, 3 * LIBRARY_SLICE - 7, 300_000, 500_000]
const FRESH = { 'Cache-Control': 'public, max-age=86400', 'Content-Type': 'video/mp4' }

export interface LibraryObject {
  readonly path: string
  readonly body: Buffer
}

export interface Library {
  readonly origin: ScriptedOrigin
  readonly objects: readonly LibraryObject[]
  readonly bytes: number
}

export async function startLibrary(t: TestScope, count: number): Promise<Library> {
  const objects = Array.from({ length: count }, (_, i) => ({
    path: `/o/${i}`,
    body: bytesOf(1000 + i, SIZES[i % SIZES.length] ?? 1),
  }))
  const scripts = objects.map(
    ({ path, body }, i) => [path, { body, fields: { ...FRESH, ETag: `"v${i}"` } }] as const,
  )
  const origin = await startOrigin(t, Object.fromEntries(scripts))
  return { origin, objects, bytes: objects.reduce((sum, { body }) => sum + body.length, 0) }
}

export type Verdict = 'right' | 'failed'

/** Throws for a reply that claims success and has other bytes than the object. */
export function judgeReply(object: LibraryObject, reply: Reply): Verdict {
  const { path, body } = object
  if (!reply.complete) {
    // Cut short, and seen to be: what did come must still be the object's.
    if (reply.status === 200 && !body.subarray(0, reply.body.length).equals(reply.body)) {
      throw new Error(`${path}: wrong bytes before the cut`)
    }
    return 'failed'
  }
  if (reply.status >= 500) return 'failed'
  if (reply.status !== 200) throw new Error(`${path}: status ${reply.status}`)
  if (!reply.body.equals(body))
    throw new Error(`${path}: wrong bytes, ${reply.body.length} of ${body.length}`)
  return 'right'
}

/** Asks an edge for each object once; how many replies were right. */
export async function readAllOf(edgeUrl: string, library: Library): Promise<number> {
  // Connections of its own: those to a process that has ended since are of no use.
  const agent = new Agent({ keepAlive: true })
  let right = 0
  try {
    for (const object of library.objects) {
      if (judgeReply(object, await get(edgeUrl + object.path, { agent })) === 'right') right++
    }
  } finally {
    agent.destroy()
  }
  return right
}
