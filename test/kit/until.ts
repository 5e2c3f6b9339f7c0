// Waiting for what can only be asked for, such as a scheduler's view of its edges. Where there is an event
// to wait for, a test waits for the event instead.
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'

const EVERY_MS = 25

/**
 * Asks until `probe` gives something other than undefined or false, and gives that. Fails after `withinMs`
 * with `what` and the probe's last error.
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 10_000,
): Promise<T> {
  const giveUpMs = systemClock.monotonic() + withinMs
  let last = ''
  for (;;) {
    try {
      const found = await probe()
      if (found !== undefined && found !== false) return found
    } catch (error) {
      last = `: ${messageOf(error)}`
    }
    if (systemClock.monotonic() > giveUpMs) throw new Error(`not within ${withinMs} ms: ${what}${last}`)
    await delay(EVERY_MS)
  }
}
