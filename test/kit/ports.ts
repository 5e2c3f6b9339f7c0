// Free loopback ports. Every parallel tap job has a range of its own below the system's ephemeral ports,
// handed out in order, so that two test files never race for the same one.
import { createServer } from 'node:net'
import { once } from 'node:events'

const FIRST = 20_000
const LAST = 32_000
const JOBS = 8
const WIDTH = Math.floor((LAST - FIRST) / JOBS)

const job = Number(process.env['TAP_JOB_ID'] ?? '0') % JOBS
// A different start each run: a port that a killed process has just used is not the first to be tried,
// and two runs on one machine seldom meet.
let next = (process.pid * 31) % WIDTH

/** A port that nothing listens on at `host`; never given twice in one process before the range is used up. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < WIDTH; attempt++) {
    const port = FIRST + job * WIDTH + next
    next = (next + 1) % WIDTH
    if (await isFree(host, port)) return port
  }
  throw new Error(`no free port from ${FIRST + job * WIDTH} on ${host}`)
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
