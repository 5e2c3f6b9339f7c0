// Runs the benchmark in a network namespace of its own: no port is taken, no other traffic on its loopback,
// and TCP there sends as fast as it may. Many machines default to BBR, whose pacing, meant for long lines,
// holds loopback transfers back for tens of milliseconds at random.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

const MARK = 'EDGEWARD_BENCH_NETWORK'
/** The one that every kernel lets a namespace choose. Loopback loses nothing, so it never slows down. */
const CONGESTION_CONTROL = 'reno'
const SETUP = `ip link set lo up && echo ${CONGESTION_CONTROL} > /proc/sys/net/ipv4/tcp_congestion_control && exec "$@"`

/**
 * Runs this very command again in a namespace and exits with its status; there, returns. A signal, or the end
 * of the outer process however it comes, ends the inner one through process.exit, so that its exit handlers run.
 */
export async function moveToOwnNetwork(): Promise<void> {
  if (process.env[MARK] !== undefined) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
    process.on('disconnect', stop)
    process.channel?.unref()
    return
  }
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const inner = spawn('unshare', [...asRoot, '--net', 'sh', '-c', SETUP, 'sh', ...again], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [MARK]: '1' },
  })
  const [code] = await once(inner, 'exit')
  process.exit(typeof code === 'number' ? code : 1)
}

function stop(): void {
  process.exit(1)
}

export function congestionControl(): string {
  return readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()
}
