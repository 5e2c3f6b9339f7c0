// A scheduler as operators run it, before a made cluster and the city database, for benchmarks of the whole process.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { NODE_FLAGS } from '../../src/node-flags.ts'
import { CITY_FILES } from '../../test/kit/city-database.ts'
import { freePort } from '../../test/kit/ports.ts'
import { buildOf } from './build.ts'
import { startProgram } from './processes.ts'
import type { RunningProgram } from './processes.ts'

const THIS_CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))

export interface SchedulerSettings {
  /** Of this scheduler alone, for its configuration and log. */
  readonly directory: string
  readonly cpus: string
  /** Keys `sites`, `edges` and `properties`. */
  readonly cluster: object
  /** Into a file. */
  readonly accessLog: boolean
  /** Left out: the two of the city database. */
  readonly cityFiles?: readonly string[]
  /** The key `dns`. */
  readonly dns?: object
  /** Further flags of Node, to profile it for example. */
  readonly nodeFlags: readonly string[]
}

export interface SchedulerProgram {
  readonly program: RunningProgram
  readonly steering: string
  readonly control: string
}

export async function startSchedulerProgram(settings: SchedulerSettings): Promise<SchedulerProgram> {
  const { directory, cpus, cluster, accessLog, dns, nodeFlags } = settings
  const [steering, control, admin] = [await address(), await address(), await address()]
  const file = path.join(directory, 'edgeward.yaml')
  const configuration = {
    cluster: 'bench',
    scheduler: {
      steering: { listen: steering },
      control: { listen: control },
      admin: { listen: admin },
      geoip: { city: settings.cityFiles ?? [CITY_FILES[4], CITY_FILES[6]] },
      // The edges are only said to be there: nothing would answer.
      probes: false,
      trustedProxies: ['127.0.0.0/8'],
      accessLog,
      ...(dns !== undefined && { dns }),
    },
    origins: [{ id: 'studio', url: 'http://127.0.0.1:9000' }],
    ...cluster,
  }
  await writeFile(file, stringify(configuration))
  const node = [...NODE_FLAGS, ...nodeFlags, buildOf(THIS_CHECKOUT), 'scheduler', '--config', file]
  // A log of every request goes into a file: this program shall not read it.
  const log = path.join(directory, 'scheduler.log')
  const shell = ['-c', `exec "$@" > '${log}' 2>&1`, 'sh', process.execPath]
  const program = await startProgram({
    name: 'scheduler',
    command: accessLog ? 'sh' : process.execPath,
    args: accessLog ? [...shell, ...node] : node,
    cpus,
    cwd: directory,
    url: `http://${admin}/healthz`,
  })
  return { program, steering: `http://${steering}`, control: `http://${control}` }
}

async function address(): Promise<string> {
  return `127.0.0.1:${await freePort()}`
}
