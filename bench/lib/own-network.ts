// Runs the benchmark in a network namespace of its own: no port is taken, no other traffic on its loopback,
// and TCP there sends as fast as it may. Many machines default to BBR, whose pacing, meant for long lines,
// holds loopback transfers back for tens of milliseconds at random.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const MARK = 'EDGEWARD_BENCH_NETWORK'
/** The one that every kernel lets a namespace choose. Loopback loses nothing, so it never slows down. */
const CONGESTION_CONTROL = 'reno'
const SETUP = `ip link set lo up && echo ${CONGESTION_CONTROL} > /proc/sys/net/ipv4/tcp_congestion_control && exec "$@"`

/** Runs this very command again in a namespace and exits with its status, unless it is there already. */
export function moveToOwnNetwork(): void {
  if (process.env[MARK] !== undefined) return
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const run = spawnSync('unshare', [...asRoot, '--net', 'sh', '-c', SETUP, 'sh', ...again], {
    stdio: 'inherit',
    env: { ...process.env, [MARK]: '1' },
  })
  if (run.error !== undefined) throw run.error
  process.exit(run.status ?? 1)
}

export function congestionControl(): string {
  return readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()
}
