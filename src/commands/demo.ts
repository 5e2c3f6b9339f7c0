// `edgeward demo`: an origin, a scheduler and three edges on loopback, as separate processes with files in a
// directory of their own. Says what to open when all are ready; a signal stops and removes everything.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import pretty from 'pino-pretty'
import { systemClock } from '../clock.ts'
import { Child } from './demo/child.ts'
import { EDGE_COUNT, writeCluster } from './demo/cluster.ts'
import type { DemoCluster } from './demo/cluster.ts'
import { originCommand } from './demo/origin.ts'
import { LOOPBACK, choosePorts } from './demo/ports.ts'
import type { PortOptions } from './demo/ports.ts'
import { waitUntilReady } from './demo/readiness.ts'
import { jsonLine, screen } from './demo/screen.ts'

interface DemoOptions extends PortOptions {
  json: boolean
  verbose: boolean
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('An origin, a scheduler and three edges on this machine, with a video to play.')
    .option('--json', 'print one line of JSON when ready', false)
    .option('--verbose', 'show all logs of the processes, not only warnings', false)
    .option('--any-ports', 'use any free ports', false)
    .option('--origin-port <port>', 'origin', parsePort, 8070)
    .option('--steering-port <port>', 'scheduler, for clients', parsePort, 8080)
    .option('--control-port <port>', 'scheduler, for edges', parsePort, 8081)
    .option('--admin-port <port>', 'scheduler, metrics and health', parsePort, 8082)
    .option(
      '--edge-port <port>',
      `first of ${2 * EDGE_COUNT} in a row: public and admin of each edge`,
      parsePort,
      8090,
    )
    .action(runDemo)
    .addCommand(originCommand(), { hidden: true })
}

async function runDemo(options: DemoOptions): Promise<void> {
  const startedAt = systemClock.monotonic()
  const stop = Promise.withResolvers<'asked' | 'all gone'>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.resolve('asked'))
  }
  if (process.connected) process.once('disconnect', () => stop.resolve('asked'))

  const ports = await choosePorts(options, EDGE_COUNT)
  const directory = await mkdtemp(path.join(tmpdir(), 'edgeward-demo-'))
  let children: Child[] = []
  try {
    const cluster = await writeCluster(directory, ports)
    const logs = { shown: options.verbose }
    const processes = startProcesses(cluster, options, logs)
    children = [...processes.values()]
    const ready = await Promise.race([
      waitUntilReady(cluster, children, systemClock).then(() => true),
      stop.promise.then(() => false),
    ])
    if (!ready) return
    logs.shown = true
    let stopping = false
    const pids = new Map([...processes].map(([name, child]) => [name, child.pid]))
    process.stdout.write(
      options.json
        ? `${jsonLine(cluster, pids)}\n`
        : screen(cluster, pids, systemClock.monotonic() - startedAt),
    )
    const watched = children.map(async (child) => {
      const how = await child.ended
      if (!stopping) process.stderr.write(`edgeward: ${describeEnd(child, how)}; the others keep running\n`)
    })
    void Promise.all(watched).then(() => stop.resolve('all gone'))
    const reason = await stop.promise
    stopping = true
    // While all stop at once, some miss the others; that is no news.
    logs.shown = options.verbose
    if (reason === 'all gone') throw new Error('every process of the demo has ended')
  } finally {
    await Promise.all(children.map((child) => child.close()))
    await rm(directory, { recursive: true, force: true })
    if (process.connected) process.disconnect?.()
  }
}

// All at once: edges ask again until the scheduler answers. Their warnings about that are not shown; those of
// a process that fails to start come with the error.
function startProcesses(
  cluster: DemoCluster,
  options: DemoOptions,
  logs: { readonly shown: boolean },
): Map<string, Child> {
  const level = ['--log-level', options.verbose ? 'info' : 'warn']
  const readable = process.stderr.isTTY
    ? pretty({ destination: 2, sync: true, ignore: 'daemon', messageFormat: '{daemon} {msg}' })
    : null
  const start = (name: string, args: string[], env: NodeJS.ProcessEnv = {}) =>
    new Child(name, [...args, ...level], env, (line) => {
      const out = readable ?? process.stderr
      if (logs.shown) out.write(`${line}\n`)
    })
  const originListen = `${LOOPBACK}:${new URL(cluster.originUrl).port}`
  return new Map([
    ['scheduler', start('scheduler', ['scheduler', '--config', cluster.schedulerFile])],
    ...cluster.edges.map(({ id, configFile, key }): [string, Child] => {
      return [id, start(`edge ${id}`, ['edge', '--config', configFile], { EDGE_KEY: key })]
    }),
    ['origin', start('origin', ['demo', 'origin', '--listen', originListen])],
  ])
}

function describeEnd(child: Child, how: string): string {
  const why = child.lastLines.at(-1)
  const reason = how.startsWith('killed') || why === undefined ? '' : ` (${why})`
  return `${child.name} (pid ${child.pid}) has ended: ${how}${reason}`
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) {
    throw new InvalidArgumentError('must be 1 to 65535.')
  }
  return port
}
