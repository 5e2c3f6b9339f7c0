// A standalone edge as a real process, with its edge.yaml and its cache in a directory of the test's own.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { stringify } from 'yaml'
import { z } from 'zod'
import { formatAuthority } from '../../src/net/listen.ts'
import { LOOPBACK } from './namespaces.ts'
import type { Place } from './namespaces.ts'
import { freePort } from './ports.ts'
import { startDaemon } from './process.ts'
import type { DaemonProcess, ExitStatus, RunOptions } from './process.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'

export interface EdgeOptions {
  /** Base URL of the origin that the property `all` (host `*`) pulls from. */
  origin: string
  id?: string
  /** Where it runs; left out: on loopback. */
  place?: Place
  /** Slice size, such as `64KiB`. */
  slice?: string
  /** Freshness lifetime where the origin states none, such as `1m`. */
  ttl?: string
  /** Instead of one property `all` for any host. */
  properties?: readonly object[]
  /** Top-level keys of edge.yaml that replace the ones made of the above. */
  config?: Readonly<Record<string, unknown>>
  env?: Record<string, string>
}

/** One access-log line, the fields that tests look at. */
const logLineSchema = z.looseObject({ msg: z.string().optional(), level: z.number().optional() })
export type LogLine = z.infer<typeof logLineSchema>

export class TestEdge {
  readonly id: string
  readonly url: string
  readonly admin: string
  /** Holds edge.yaml and cache/. */
  readonly directory: string
  readonly configFile: string
  readonly #t: TestScope
  readonly #options: RunOptions
  #process: DaemonProcess | null = null

  constructor(
    t: TestScope,
    where: { id: string; url: string; admin: string; directory: string; configFile: string },
    options: RunOptions = {},
  ) {
    this.#t = t
    this.id = where.id
    this.url = where.url
    this.admin = where.admin
    this.directory = where.directory
    this.configFile = where.configFile
    this.#options = options
  }

  get process(): DaemonProcess {
    if (this.#process === null) throw new Error(`edge ${this.id} is not started`)
    return this.#process
  }

  /** `env`: besides what it always has. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#process = await startDaemon(this.#t, ['edge', '--config', this.configFile], {
      cwd: this.directory,
      ...this.#options,
      env: { ...this.#options.env, ...env },
    })
  }

  /** Ends it by the signal; its cache directory stays. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ExitStatus> {
    return this.process.stop(signal)
  }

  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.stop(signal)
    await this.start()
  }

  /** What it logged so far, a line each. */
  log(): LogLine[] {
    const lines = this.process.stderr().split('\n')
    return lines.filter((line) => line.startsWith('{')).map((line) => logLineSchema.parse(JSON.parse(line)))
  }
}

/** Writes edge.yaml and starts the edge; resolves when it listens. */
export async function startEdge(t: TestScope, options: EdgeOptions): Promise<TestEdge> {
  const edge = await prepareEdge(t, options)
  await edge.start()
  return edge
}

/** Writes edge.yaml without starting, for a test of a start that fails. */
export async function prepareEdge(t: TestScope, options: EdgeOptions): Promise<TestEdge> {
  const directory = await tempDirectory(t)
  const id = options.id ?? 'solo'
  const { address, within } = options.place ?? LOOPBACK
  const listen = formatAuthority(address, await freePort())
  const admin = formatAuthority(address, await freePort())
  const ttl = options.ttl === undefined ? {} : { cache: { defaultTtl: options.ttl } }
  const settings = {
    id,
    listen,
    admin,
    cache: {
      memory: '64MiB',
      ...(options.slice === undefined ? {} : { slice: options.slice }),
      directories: [{ path: './cache', size: '1GiB' }],
    },
    origins: [{ id: 'studio', url: options.origin }],
    properties: options.properties ?? [{ id: 'all', hosts: ['*'], origins: [{ id: 'studio' }], ...ttl }],
    ...options.config,
  }
  const configFile = path.join(directory, 'edge.yaml')
  await writeFile(configFile, stringify(settings))
  const where = { id, url: `http://${listen}`, admin: `http://${admin}`, directory, configFile }
  return new TestEdge(t, where, { within, ...(options.env === undefined ? {} : { env: options.env }) })
}
