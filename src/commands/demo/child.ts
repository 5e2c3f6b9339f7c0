// One process of the demo: started with an IPC channel, so that it says when it is ready and ends when the
// demo is gone, however that ended. Keeps the last log lines for the case that it fails.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { NODE_FLAGS } from '../../node-flags.ts'

/** Enough for an uncaught error with its stack. */
const LAST_LINES_MAX = 20
/** Longer than any drain of the demo's configuration. */
const STOP_MS = 4000

// cli.ts in a checkout, cli.js in a published package.
const CLI = path.join(import.meta.dirname, '..', '..', `cli${path.extname(import.meta.filename)}`)

export class Child {
  readonly name: string
  readonly lastLines: string[] = []
  /** Resolves with a few words on how it ended, such as `exit code 1`; never rejects. */
  readonly ended: Promise<string>
  /** Resolves when the process says that it listens; stays pending when it ends before. */
  readonly ready: Promise<void>
  #process: ChildProcess

  constructor(
    name: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    onLogLine: (line: string) => void,
  ) {
    this.name = name
    this.#process = spawn(process.execPath, [...NODE_FLAGS, CLI, ...args], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...env },
    })
    const ended = Promise.withResolvers<string>()
    this.ended = ended.promise
    // `close`, not `exit`: by then the last log lines have been read.
    this.#process.once('close', (code, signal) => {
      ended.resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`)
    })
    this.#process.once('error', (error) => ended.resolve(error.message))
    const ready = Promise.withResolvers<void>()
    this.ready = ready.promise
    this.#process.once('message', () => ready.resolve())
    if (this.#process.stderr !== null) {
      createInterface({ input: this.#process.stderr }).on('line', (line) => {
        this.lastLines.push(line)
        if (this.lastLines.length > LAST_LINES_MAX) this.lastLines.shift()
        onLogLine(line)
      })
    }
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** SIGTERM, and SIGKILL to one that takes too long. */
  async close(): Promise<void> {
    this.#process.kill('SIGTERM')
    await Promise.race([this.ended, delay(STOP_MS, undefined, { ref: false })])
    this.#process.kill('SIGKILL')
    await this.ended
  }
}
