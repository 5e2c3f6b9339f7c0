// Starts the origin and every server that is installed, each with a directory and a port of its own.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../test/kit/ports.ts'
import { startProgram } from '../lib/processes.ts'
import type { RunningProgram } from '../lib/processes.ts'
import { startEdgeward } from './edgeward.ts'
import { startNginx } from './nginx.ts'
import { COUNT_PATH } from './origin.ts'
import type { Peer, PeerSettings } from './peer.ts'
import { startTrafficServer } from './traffic-server.ts'
import { startVarnish } from './varnish.ts'

const ORIGIN = fileURLToPath(new URL('origin.ts', import.meta.url))
const THIS_CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))

/** Every server runs on this core, alone while it is measured. */
export const SERVER_CPU = '0'
/** wrk, the origin and this program. */
export const CLIENT_CPU = '1'

const MEMORY_BYTES = 256 * 2 ** 20
/** So small that no 2 MiB slice fits: every hit is read from disk. */
const TINY_MEMORY_BYTES = 2 ** 20

export interface FleetOptions {
  /** Leave out all but Edgeward. */
  alone: boolean
  /** Another checkout of Edgeward to measure beside this one. */
  other: string | undefined
  nodeFlags: readonly string[]
}

export interface Fleet {
  readonly origin: string
  readonly peers: readonly Peer[]
  close(): Promise<void>
}

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  execFileSync('taskset', ['-cp', CLIENT_CPU, String(process.pid)])
  const root = mkdtempSync(path.join(os.tmpdir(), 'edgeward-peers-'))
  process.on('exit', () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }))
  // A server that gives up root must still reach its own directory.
  chmodSync(root, 0o755)
  const originProgram = await startOrigin()
  const peers: Peer[] = []
  const fleet: Fleet = {
    origin: originProgram.url,
    peers,
    async close() {
      await Promise.all([originProgram.program, ...peers.map((peer) => peer.program)].map((p) => p.stop()))
    },
  }
  const settings = async (name: string, memoryBytes = MEMORY_BYTES): Promise<PeerSettings> => {
    const directory = path.join(root, name)
    mkdirSync(directory)
    return { directory, origin: fleet.origin, port: await freePort(), cpus: SERVER_CPU, memoryBytes }
  }
  try {
    const { nodeFlags, other } = options
    const edgeward = async (name: string, checkout: string, memoryBytes: number) =>
      startEdgeward(await settings(name, memoryBytes), { name, checkout, nodeFlags })
    peers.push(await edgeward('edgeward', THIS_CHECKOUT, MEMORY_BYTES))
    peers.push(await edgeward('edgeward-disk', THIS_CHECKOUT, TINY_MEMORY_BYTES))
    if (other !== undefined) {
      peers.push(await edgeward('edgeward-other', other, MEMORY_BYTES))
      peers.push(await edgeward('edgeward-other-disk', other, TINY_MEMORY_BYTES))
    }
    const others = options.alone ? [] : [startNginx, startVarnish, startTrafficServer]
    for (const start of others) {
      const peer = await start(await settings(start.name))
      if (peer !== undefined) peers.push(peer)
    }
  } catch (error) {
    await fleet.close()
    throw error
  }
  return fleet
}

async function startOrigin(): Promise<{ program: RunningProgram; url: string }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const program = await startProgram({
    name: 'origin',
    command: process.execPath,
    args: [ORIGIN, String(port)],
    cpus: CLIENT_CPU,
    url: url + COUNT_PATH,
  })
  return { program, url }
}
