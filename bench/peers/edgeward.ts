// A standalone Edgeward edge, configured as its users would: memory tier in front of a cache directory.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { stringify } from 'yaml'
import { NODE_FLAGS } from '../../src/node-flags.ts'
import { VERSION } from '../../src/version.ts'
import { freePort } from '../../test/kit/ports.ts'
import { buildOf } from '../lib/build.ts'
import { startProgram } from '../lib/processes.ts'
import { DISK_BYTES } from './peer.ts'
import type { Peer, PeerSettings } from './peer.ts'

export interface EdgewardOptions {
  name: string
  /** Directory of the checkout to run. */
  checkout: string
  /** Further flags of Node, to profile it for example. */
  nodeFlags: readonly string[]
}

export async function startEdgeward(settings: PeerSettings, options: EdgewardOptions): Promise<Peer> {
  const { directory, origin, port, cpus, memoryBytes } = settings
  const admin = `127.0.0.1:${await freePort()}`
  const file = path.join(directory, 'edge.yaml')
  const configuration = {
    id: 'bench',
    listen: `127.0.0.1:${port}`,
    admin,
    accessLog: false,
    cache: {
      memory: mebibytes(memoryBytes),
      directories: [{ path: './cache', size: mebibytes(DISK_BYTES) }],
    },
    origins: [{ id: 'origin', url: origin }],
    properties: [{ id: 'all', hosts: ['*'], origins: [{ id: 'origin' }] }],
  }
  await writeFile(file, stringify(configuration))
  const url = `http://127.0.0.1:${port}`
  const program = await startProgram({
    name: options.name,
    command: process.execPath,
    args: [...NODE_FLAGS, ...options.nodeFlags, buildOf(options.checkout), 'edge', '--config', file],
    cpus,
    cwd: directory,
    url,
  })
  return {
    name: options.name,
    version: VERSION,
    url,
    program,
    memoryBytes,
    async bodyBytesInMemory() {
      const text = await (await fetch(`http://${admin}/metrics`)).text()
      return Number(/^edgeward_edge_memory_tier_bytes (\S+)$/m.exec(text)?.[1])
    },
  }
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)}MiB`
}
