// Edgeward's own processes in a test: a daemon that says when it is ready, or a command that runs to its end.
// Each is ended by its pid when the test ends; should the test itself die, the closed IPC channel drains it.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { ReadyMessage } from '../../src/daemon.ts'
import type { TestScope } from './scope.ts'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
/** Of ten processes or more that start at once, on a busy machine; one that fails is told of when it ends. */
const READY_WITHIN_MS = 60_000
/** After SIGTERM at the end of a test, before SIGKILL; draining has tests of its own. */
const STOP_WITHIN_MS = 2000
/** Of what a process writes, the end is kept. */
const OUTPUT_MAX = 8 * 2 ** 20

const readySchema = z.object({ ready: z.literal(true), listeners: z.record(z.string(), z.string()) })

export interface ExitStatus {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface RunOptions {
  cwd?: string
  env?: Record<string, string>
  /** The command that starts another one elsewhere, as of a place in namespaces.ts. */
  within?: readonly string[]
}

export interface DaemonProcess {
  readonly pid: number
  /** Listener name → base URL, as the daemon reported them. */
  readonly listeners: ReadyMessage['listeners']
  /** Its log so far. */
  stderr(): string
  /** Resolves when the process has ended, however it did. */
  readonly exited: Promise<ExitStatus>
  signal(name: NodeJS.Signals): void
  /** Sends the signal and waits for the end. */
  stop(name?: NodeJS.Signals): Promise<ExitStatus>
}

/** The process ended, or said nothing, before it was ready. */
export class DaemonFailed extends Error {
  readonly status: ExitStatus
  readonly stderr: string

  constructor(args: readonly string[], status: ExitStatus, stderr: string) {
    super(
      `edgeward ${args.join(' ')} ended with ${status.code ?? status.signal} before it was ready:\n${stderr}`,
    )
    this.name = 'DaemonFailed'
    this.status = status
    this.stderr = stderr
  }
}

/** Starts `edgeward ARGS` and waits for its ready message; throws DaemonFailed when it ends instead. */
export async function startDaemon(
  t: TestScope,
  args: readonly string[],
  options: RunOptions = {},
): Promise<DaemonProcess> {
  const child = spawnCli(args, options, true)
  const output = collect(child)
  const exited = exitOf(child)
  t.teardown(() => endChild(child, exited))
  const { promise: ready, resolve } = Promise.withResolvers<ReadyMessage>()
  child.on('message', (message) => {
    const parsed = readySchema.safeParse(message)
    if (parsed.success) resolve(parsed.data)
  })
  const ended = exited.then((status) => new DaemonFailed(args, status, output.stderr))
  const first = await Promise.race([ready, ended, silence(args, output)])
  if (first instanceof Error) throw first
  return {
    pid: child.pid ?? 0,
    listeners: first.listeners,
    stderr: () => output.stderr,
    exited,
    signal: (name) => void child.kill(name),
    async stop(name = 'SIGTERM') {
      child.kill(name)
      return exited
    },
  }
}

export interface CommandResult extends ExitStatus {
  stdout: string
  stderr: string
}

/** Runs `edgeward ARGS` to its end. */
export async function runCommand(
  t: TestScope,
  args: readonly string[],
  options: RunOptions = {},
): Promise<CommandResult> {
  const child = spawnCli(args, options, false)
  const output = collect(child)
  const exited = exitOf(child)
  t.teardown(() => endChild(child, exited))
  return { ...(await exited), ...output }
}

function spawnCli(args: readonly string[], options: RunOptions, ipc: boolean): ChildProcess {
  // `env -u`: tap loads a recorder into every child through NODE_OPTIONS; a daemon is to run as it does in
  // production. env(1) becomes the program it starts, so the pid and the channel are the daemon's own.
  const [program, ...rest] = [...(options.within ?? []), 'env', '-u', 'NODE_OPTIONS']
  return spawn(program, [...rest, process.execPath, CLI, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ipc ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
  })
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout = (output.stdout + text).slice(-OUTPUT_MAX)
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr = (output.stderr + text).slice(-OUTPUT_MAX)
  })
  return output
}

/** 'close' rather than 'exit': all that it wrote has been read by then. */
function exitOf(child: ChildProcess): Promise<ExitStatus> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
}

async function silence(args: readonly string[], output: { stderr: string }): Promise<Error> {
  await delay(READY_WITHIN_MS, undefined, { ref: false })
  return new Error(`edgeward ${args.join(' ')} was not ready in ${READY_WITHIN_MS} ms:\n${output.stderr}`)
}

async function endChild(child: ChildProcess, exited: Promise<ExitStatus>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const inTime = await Promise.race([exited, delay(STOP_WITHIN_MS, undefined, { ref: false })])
  if (inTime !== undefined) return
  child.kill('SIGKILL')
  await exited
}
