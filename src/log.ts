// Logs by pino: JSON lines, or readable on a terminal. Secrets are never passed to a logger.
import { createRequire } from 'node:module'
import { pino, stdTimeFunctions } from 'pino'
import type { Logger } from 'pino'
import type pinoPretty from 'pino-pretty'

export type { Logger } from 'pino'

export interface LogOptions {
  /** Name of the daemon and its id, on every line. */
  daemon: 'edge' | 'scheduler' | 'origin' | 'demo'
  id: string
  level?: string
  /** Left out: readable when stderr is a terminal. */
  format?: 'json' | 'pretty'
}

/** Writes to stderr, so that a command's own output on stdout stays parseable. */
export function createLogger(options: LogOptions): Logger {
  const format = options.format ?? (process.stderr.isTTY ? 'pretty' : 'json')
  const base = { daemon: options.daemon, id: options.id }
  const settings = {
    level: options.level ?? 'info',
    base,
    timestamp: stdTimeFunctions.isoTime,
  }
  if (format === 'pretty') {
    // A daemon has a file or a pipe there, mostly, and need not load it.
    const pretty: typeof pinoPretty = createRequire(import.meta.url)('pino-pretty')
    return pino(
      settings,
      pretty({ destination: 2, sync: true, ignore: 'daemon', messageFormat: '{daemon} {msg}' }),
    )
  }
  return pino(settings, pino.destination({ dest: 2, sync: false, minLength: 0 }))
}

export const silentLogger: Logger = pino({ level: 'silent' })
