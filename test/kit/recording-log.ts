// A logger that keeps its lines, for tests of what is logged.
import { pino } from 'pino'
import type { Logger } from '../../src/log.ts'

export function recordingLog(): { log: Logger; lines: unknown[] } {
  const lines: unknown[] = []
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  return { log, lines }
}
