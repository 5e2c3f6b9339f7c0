// An edge under load that is killed again and again, at moments drawn from a seed. Every reply, before the
// kills and after them, is compared with the original.
import { Agent } from 'node:http'
import { get } from './client.ts'
import { startEdge } from './edge.ts'
import { LIBRARY_SLICE, judgeReply, readAllOf, startLibrary } from './library.ts'
import type { Library } from './library.ts'
import type { TestScope } from './scope.ts'

const OBJECTS = 48
const CLIENTS = 8
/** A kill comes after at most so many pieces of bodies have reached the clients. */
const PIECES_MAX = 400

export interface KillSummary {
  rounds: number
  /** Replies compared byte by byte. */
  right: number
  /** Cut by a kill, or refused while the edge was down. */
  failed: number
  /** Objects that the last start served whole with the origin gone. */
  keptAtEnd: number
  objects: number
}

/** Throws at the first wrong byte. Every fifth end is a clean stop, so that trusted files are met too. */
export async function runKillRounds(
  t: TestScope,
  rounds: number,
  seed: number,
  onRound: (round: number, summary: KillSummary) => void = () => {},
): Promise<KillSummary> {
  const random = seeded(seed)
  const library = await startLibrary(t, OBJECTS)
  const edge = await startEdge(t, {
    origin: library.origin.url,
    config: {
      accessLog: false,
      cache: {
        // Small: most hits come from disk, and the disk evicts.
        memory: '256KiB',
        slice: `${LIBRARY_SLICE / 1024}KiB`,
        directories: [{ path: './cache', size: '5MiB' }],
      },
    },
  })
  const summary: KillSummary = { rounds: 0, right: 0, failed: 0, keptAtEnd: 0, objects: OBJECTS }
  for (let round = 1; round <= rounds; round++) {
    await loadUntilKilled(edge.url, library, random, summary, () =>
      edge.process.signal(round % 5 === 0 ? 'SIGTERM' : 'SIGKILL'),
    )
    await edge.process.exited
    await edge.start()
    summary.rounds = round
    onRound(round, summary)
  }
  await readAllOf(edge.url, library)
  await edge.restart('SIGKILL')
  await library.origin.stop()
  summary.keptAtEnd = await readAllOf(edge.url, library)
  return summary
}

async function loadUntilKilled(
  edgeUrl: string,
  library: Library,
  random: () => number,
  summary: KillSummary,
  kill: () => void,
): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  let pieces = 1 + Math.floor(random() * PIECES_MAX)
  const state = { killed: false }
  const onData = () => {
    if (--pieces > 0 || state.killed) return
    state.killed = true
    kill()
  }
  const client = async (): Promise<void> => {
    while (!state.killed) {
      const object = library.objects[Math.floor(random() ** 2 * library.objects.length)]
      if (object === undefined) continue
      try {
        const verdict = judgeReply(object, await get(edgeUrl + object.path, { onData, agent }))
        if (verdict === 'right') summary.right++
        else summary.failed++
      } catch (error) {
        // No reply at all, once it is killed, is a clean failure; wrong bytes never are.
        if (!state.killed || !isConnectionError(error)) throw error
        summary.failed++
      }
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  agent.destroy()
}

function isConnectionError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^E[A-Z]+$/.test(String(error.code))
}

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
}
