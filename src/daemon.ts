// The life of a daemon process: start, say that it is ready, drain on SIGTERM or SIGINT, exit 0.
// Started with an IPC channel (by `edgeward demo` or a test) it sends one `ready` message, and drains when
// that channel closes, so that a parent that dies leaves no child behind.
import type { Logger } from './log.ts'

export interface Daemon {
  /** Listener name → base URL, such as { public: 'http://127.0.0.1:8090' }. */
  readonly listeners: Readonly<Record<string, string>>
  /** Reads again what may change while it runs (SIGHUP); a failure is logged and changes nothing. */
  readonly reload?: (() => Promise<void>) | undefined
  /** Stops taking clients, finishes what runs within its own bound, releases everything. */
  drain(): Promise<void>
}

export interface ReadyMessage {
  ready: true
  listeners: Readonly<Record<string, string>>
}

/** Resolves when the daemon has drained. */
export async function runDaemon(daemon: Daemon, log: Logger): Promise<void> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<string>()
  const onSignal = (signal: NodeJS.Signals) => stop(signal)
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  const { reload } = daemon
  if (reload !== undefined) process.on('SIGHUP', () => void reload())
  if (process.connected) {
    process.once('disconnect', () => stop('parent is gone'))
    process.send?.({ ready: true, listeners: daemon.listeners } satisfies ReadyMessage)
  } else if (process.send !== undefined) {
    // It had one as it began to start.
    stop('parent is gone')
  }
  log.info({ listeners: daemon.listeners }, 'ready')
  const reason = await stopped
  log.info({ reason }, 'draining')
  await daemon.drain()
  log.info('stopped')
  if (process.connected) process.disconnect?.()
}
