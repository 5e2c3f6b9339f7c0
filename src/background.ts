// The one place for promises that nobody awaits: a failure is logged under a name, never lost.
import { messageOf } from './errors.ts'
import type { Logger } from './log.ts'

export type Background = (name: string, work: Promise<unknown>) => void

export function backgroundRunner(log: Logger): Background {
  return (name, work) => {
    work.catch((error: unknown) => {
      log.error({ task: name, err: error }, `background task failed: ${messageOf(error)}`)
    })
  }
}
