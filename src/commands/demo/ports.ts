// The demo's ten ports: fixed and overridable, or any free ones. All are tried before anything starts, so
// that a taken one is a single line and leaves nothing behind.
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import { systemCode } from '../../errors.ts'
import { listen } from '../../net/listen.ts'

export interface DemoPorts {
  origin: number
  steering: number
  control: number
  admin: number
  edges: { public: number; admin: number }[]
}

export interface PortOptions {
  originPort: number
  steeringPort: number
  controlPort: number
  adminPort: number
  /** The first of two for each edge: public, admin, public, admin … */
  edgePort: number
  anyPorts: boolean
}

export const LOOPBACK = '127.0.0.1'

interface WantedPort {
  port: number
  use: string
  option: string
}

/** Holds all ports at once before it lets go of them: two options with one port are found out too. */
export async function choosePorts(options: PortOptions, edgeCount: number): Promise<DemoPorts> {
  const wanted: WantedPort[] = [
    { port: options.originPort, use: 'origin', option: '--origin-port' },
    { port: options.steeringPort, use: 'steering', option: '--steering-port' },
    { port: options.controlPort, use: 'control', option: '--control-port' },
    { port: options.adminPort, use: 'admin', option: '--admin-port' },
  ]
  for (let i = 0; i < 2 * edgeCount; i++) {
    const use = i % 2 === 0 ? 'edge' : 'edge admin'
    wanted.push({ port: options.edgePort + i, use, option: '--edge-port' })
  }
  const servers = wanted.map(() => createServer())
  try {
    const tries = servers.map((server, i) => hold(server, wanted[i], options.anyPorts))
    // Settled, so that no listener opens after the others are closed again.
    for (const result of await Promise.allSettled(tries)) {
      if (result.status === 'rejected') throw result.reason
    }
    const [origin = 0, steering = 0, control = 0, admin = 0, ...rest] = await Promise.all(tries)
    const edges = Array.from({ length: edgeCount }, (_, i) => {
      return { public: rest[2 * i] ?? 0, admin: rest[2 * i + 1] ?? 0 }
    })
    return { origin, steering, control, admin, edges }
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

async function hold(server: Server, wanted: WantedPort | undefined, anyPort: boolean): Promise<number> {
  const { port, use, option } = wanted ?? { port: 0, use: 'any', option: '' }
  try {
    return await listen(server, { host: LOOPBACK, port: anyPort ? 0 : port }, option)
  } catch (error) {
    const taken = error instanceof Error && systemCode(error.cause) === 'EADDRINUSE'
    if (!taken) throw error
    throw new Error(`port ${port} (${use}) is taken; choose another with ${option}`, { cause: error })
  }
}
