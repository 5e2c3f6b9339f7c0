// What a second scheduler on the same port adds. Two servers and a client that keeps both busy want three cores. So that
// two are enough, the queries wait before anybody answers: both processes are stopped, the kernel shares queries out to
// them, and then each goes on with a core of its own while nobody asks. What a query costs them then, beside what it costs
// one alone, tells how much of twice its rate two have.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { median, round } from '../lib/stats.ts'
import { formatTable } from '../lib/table.ts'
import { startEdgeward } from './edgeward.ts'
import type { ReportedScheduler } from './edgeward.ts'
import type { Service } from './service.ts'

const GOAL = 1.7
/** The kernel shares queries out by the ports that they come from. */
const SOCKETS = 64
/** For each process, and what a few sockets hold of the replies. */
const WAITING = 4000
/** Longer than they take. */
const WINDOW_MS = 150
const WARM_ROUNDS = 20
const ROUNDS = 20
const REPORTS_MS = 200
const REPLIES_WITHIN_MS = 2000

export interface SecondProcessQuestion {
  readonly question: string
  readonly service: Service
  readonly serverCpu: string
  /** Of the second process; the client's while nobody is asked. */
  readonly otherCpu: string
  /** Asked from this address. */
  readonly from: string
  readonly packets: readonly Buffer[]
}

export async function measureSecondProcess(asked: SecondProcessQuestion) {
  const { question, service, serverCpu, otherCpu, from, packets } = asked
  const sockets = await openSockets(from)
  const schedulers: ReportedScheduler[] = []
  const costs: number[] = []
  try {
    for (const [name, cpus] of [
      ['first', serverCpu],
      ['second', otherCpu],
    ] as const) {
      const directory = path.join(service.directory, name)
      mkdirSync(directory)
      const started = { ...service, cpus, directory }
      schedulers.push(await startEdgeward(started, { reusePort: true, nodeFlags: [] }))
      const runs = []
      for (let number = 0; number < WARM_ROUNDS + ROUNDS; number += 1) {
        runs.push(await costOf(schedulers, sockets, service.port, packets))
      }
      costs.push(median(runs.slice(WARM_ROUNDS)))
    }
  } finally {
    for (const socket of sockets) socket.close()
    await Promise.all(schedulers.map((scheduler) => scheduler.stop()))
  }
  const [one = Number.NaN, two = Number.NaN] = costs
  const ratio = round((2 * one) / two, 2)
  const result = {
    question,
    waitingForEach: WAITING,
    rounds: ROUNDS,
    cpuMicroseconds: { one: round(one, 2), two: round(two, 2) },
    ratio,
    goal: GOAL,
    met: ratio >= GOAL,
  }
  process.stdout.write(`${tableOf(result)}\n\n`)
  return result
}

async function openSockets(from: string): Promise<Socket[]> {
  const sockets = Array.from({ length: SOCKETS }, () =>
    createSocket({ type: 'udp4', recvBufferSize: 2 ** 20 }),
  )
  for (const socket of sockets) {
    socket.bind(0, from)
    await once(socket, 'listening')
  }
  return sockets
}

/** Processor time of a query, in microseconds; in the mean of the processes. */
async function costOf(
  schedulers: readonly ReportedScheduler[],
  sockets: readonly Socket[],
  port: number,
  packets: readonly Buffer[],
): Promise<number> {
  const pids = schedulers.flatMap(({ program }) => program.pids())
  // Reports that were due catch up, and those that were sent are taken.
  await delay(REPORTS_MS)
  const resume = schedulers.map((scheduler) => scheduler.holdReports())
  await delay(REPORTS_MS / 2)
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  const count = WAITING * schedulers.length
  const replies = repliesTo(sockets, count)
  for (let i = 0; i < count; i += 1) {
    const packet = packets[i % packets.length]
    assert(packet !== undefined)
    sockets[i % sockets.length]?.send(packet, port, '127.0.0.1')
    // The lookup of an address gives a turn back.
    if (i % SOCKETS === 0) await delay(0)
  }
  const before = cpuSeconds(pids)
  for (const pid of pids) process.kill(pid, 'SIGCONT')
  // This program stands still: the second process has its core.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WINDOW_MS)
  const took = cpuSeconds(pids) - before
  await replies
  for (const go of resume) go()
  return (took / count) * 1e6
}

/** Resolves when all have come; rejects when some are lost. */
function repliesTo(sockets: readonly Socket[], count: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let came = 0
  const take = () => {
    came += 1
    if (came === count) resolve()
  }
  const late = setTimeout(() => reject(new Error(`${count - came} replies lost`)), REPLIES_WITHIN_MS)
  for (const socket of sockets) socket.on('message', take)
  return promise.finally(() => {
    clearTimeout(late)
    for (const socket of sockets) socket.off('message', take)
  })
}

/** Of all their threads, to the nanosecond. */
function cpuSeconds(pids: readonly number[]): number {
  const threads = pids.flatMap((pid) =>
    readdirSync(`/proc/${pid}/task`).map((id) => `/proc/${pid}/task/${id}`),
  )
  return threads.reduce(
    (sum, thread) => sum + Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e9,
    0,
  )
}

interface SecondProcessResult {
  readonly question: string
  readonly cpuMicroseconds: { readonly one: number; readonly two: number }
  readonly ratio: number
  readonly goal: number
  readonly met: boolean
}

function tableOf({ question, cpuMicroseconds: { one, two }, ratio, goal, met }: SecondProcessResult): string {
  const rows = [
    [`${question}, processes`, 'CPU us/query'],
    ['one', one.toFixed(2)],
    ['two', two.toFixed(2)],
  ]
  return `${formatTable(rows)}\n→ ${ratio} times one; goal ${goal}: ${met ? 'met' : 'NOT MET'}`
}
