// Programs under measurement: started on given cores, watched through /proc, ended by pid.
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

const READY_WITHIN_MS = 30_000
const STOP_WITHIN_MS = 5000
/** Of what a program says, the end is kept for the message when it fails. */
const OUTPUT_MAX = 64 * 1024
/** Ticks of /proc/PID/stat a second, USER_HZ: fixed at 100 by Linux's interface. */
const TICKS_PER_SECOND = 100

export interface Program {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** CPU list as taskset takes it. */
  readonly cpus: string
  readonly cwd?: string
}

export interface HttpProgram extends Program {
  /** Answers any HTTP once the program is ready. */
  readonly url: string
}

export interface MemoryUse {
  /** Resident now. */
  residentBytes: number
  /** The most that was resident at once. */
  peakBytes: number
}

/** Children that still run, so that none outlives this program however it ends. */
const running = new Set<ChildProcess>()
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))

export class RunningProgram {
  readonly name: string
  private readonly child: ChildProcess
  private output = ''

  constructor(program: Program) {
    this.name = program.name
    this.child = spawn('taskset', ['-c', program.cpus, program.command, ...program.args], {
      cwd: program.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(this.child)
    this.child.once('exit', () => running.delete(this.child))
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.output = (this.output + chunk.toString()).slice(-OUTPUT_MAX)
      })
  }

  /** Resolves once it answers; throws with what it said when it ends or stays silent. */
  async ready(answers: () => Promise<boolean>): Promise<void> {
    for (let waited = 0; waited < READY_WITHIN_MS; waited += 50) {
      if (this.ended) break
      if (await answers()) return
      await delay(50)
    }
    throw new Error(`${this.name} does not answer:\n${this.output}`)
  }

  /** Memory of the program and its children. */
  memory(): MemoryUse {
    const uses = this.pids().map((pid) => {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      const kilobytes = (field: string) =>
        Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
      return { residentBytes: kilobytes('VmRSS') * 1024, peakBytes: kilobytes('VmHWM') * 1024 }
    })
    return {
      residentBytes: uses.reduce((sum, use) => sum + use.residentBytes, 0),
      peakBytes: uses.reduce((sum, use) => sum + use.peakBytes, 0),
    }
  }

  /** Processor time of the program and its children so far, user and kernel. */
  cpuSeconds(): number {
    return this.pids().reduce((sum, pid) => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // Fields 14 and 15; the name before them may hold spaces but ends with the last parenthesis.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
    }, 0)
  }

  /** To other processors, with all its threads. */
  moveTo(cpus: string): void {
    for (const pid of this.pids()) execFileSync('taskset', ['-acp', cpus, String(pid)], { stdio: 'ignore' })
  }

  async stop(): Promise<void> {
    if (this.ended) return
    const exited = once(this.child, 'exit')
    this.child.kill('SIGTERM')
    const late = await Promise.race([exited, delay(STOP_WITHIN_MS, 'late' as const, { ref: false })])
    if (late !== 'late') return
    this.child.kill('SIGKILL')
    await exited
  }

  private get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  pids(): number[] {
    // taskset becomes the program it starts, so the child's pid is the program's own.
    const found = this.child.pid === undefined ? [] : [this.child.pid]
    for (const pid of found) {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      for (const child of children.split(' ')) if (child !== '') found.push(Number(child))
    }
    return found
  }
}

export function startProgram(program: HttpProgram): Promise<RunningProgram> {
  return startUntil(program, () => answersHttp(program.url))
}

/** Resolves once the program answers, in whichever protocol. */
export async function startUntil(program: Program, answers: () => Promise<boolean>): Promise<RunningProgram> {
  const started = new RunningProgram(program)
  await started.ready(answers)
  return started
}

function answersHttp(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const get = request(url, { agent: false }, (response) => {
      response.resume().once('end', () => resolve(true))
    })
    get.once('error', () => resolve(false))
    get.end()
  })
}
