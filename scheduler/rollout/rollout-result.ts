// What comes of an attempt to make a configuration the current one.
import { ConfigError, formatProblem } from '../../src/config/config-error.ts'
import { EdgewardError, messageOf } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import type { ConfigApplied } from '../../src/wire/config-rollout.ts'
import { NotKeptError } from './version-store.ts'

/** applied, unchanged and reread are those of the wire. */
export const ROLLOUT_OUTCOMES = [
  'applied',
  'unchanged',
  'reread',
  'invalid',
  'restart',
  'not-kept',
  'older',
  'unknown-version',
] as const

export type RolloutOutcome = (typeof ROLLOUT_OUTCOMES)[number]

/**
 * invalid: it cannot be used, `problems` say why. restart: it changes keys that a running scheduler cannot. not-kept: the
 * store that schedulers share is away. older: a signal found a file that was current before; only an operator's word
 * makes it so again. unknown-version: it is not kept.
 */
export type RolloutResult =
  | ConfigApplied
  | { readonly outcome: 'invalid'; readonly problems: readonly string[] }
  | { readonly outcome: 'restart'; readonly keys: readonly string[] }
  | { readonly outcome: 'not-kept'; readonly reason: string }
  | { readonly outcome: 'older'; readonly version: number }
  | { readonly outcome: 'unknown-version'; readonly version: number }

/** What failed it; throws again what only a bug could have. */
export function failureOf(error: unknown): RolloutResult {
  if (error instanceof NotKeptError) return { outcome: 'not-kept', reason: error.message }
  if (error instanceof ConfigError) {
    return { outcome: 'invalid', problems: error.problems.map((one) => formatProblem(error.file, one)) }
  }
  if (error instanceof EdgewardError && error.code === 'config_invalid') {
    return { outcome: 'invalid', problems: [messageOf(error)] }
  }
  throw error
}

/** For people. */
export function wordsOf(result: RolloutResult): string {
  if (result.outcome === 'invalid') return `nothing is changed:\n${result.problems.join('\n')}`
  if (result.outcome === 'restart') {
    return `nothing is changed: needs a restart: ${result.keys.join(', ')}`
  }
  if (result.outcome === 'not-kept') {
    return `nothing is changed: the versions that schedulers share cannot be written (${result.reason})`
  }
  return `version ${result.version} ${WORDS[result.outcome]}`
}

const WORDS = {
  applied: 'is current',
  unchanged: 'runs already',
  reread: 'runs with changed files',
  older: 'is what the file holds, and was current before: nothing is changed',
  'unknown-version': 'is not kept',
} as const

const LEVELS: Record<RolloutOutcome, 'info' | 'warn' | 'error'> = {
  applied: 'info',
  unchanged: 'info',
  reread: 'info',
  older: 'warn',
  'unknown-version': 'warn',
  invalid: 'error',
  restart: 'error',
  'not-kept': 'error',
}

export function logResult(log: Logger, result: RolloutResult): void {
  const { outcome } = result
  log[LEVELS[outcome]]({ outcome }, `configuration: ${wordsOf(result)}`)
}
