// For a daemon that keeps little of its own beside what it loads: V8 would let garbage grow to more than all that lives
// before it collects, and keep the memory of what it has collected. docs/decisions/0011-memory.md has the figures.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Below it there is nothing to give back that is worth a pause: a scheduler of a few edges has 125 MB by then. */
const RESIDENT_WORTH_BYTES = 160e6

/** To be called before anything is loaded. With 5,000 edges it takes a quarter off a scheduler's peak. */
export function keepHeapSmall(): void {
  // Collects when the heap has grown by this much, in percent, over what lived after the last time.
  setFlagsFromString('--heap-growing-percent=30')
}

/**
 * Gives back what was needed only to read a configuration, before large files are loaded beside it. Stops the process
 * for some tenths of a second, so before it listens.
 */
export function returnGarbage(): void {
  if (process.memoryUsage.rss() < RESIDENT_WORTH_BYTES) return
  // V8's own function for it, which only contexts have that are made while the flag is set.
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  if (typeof collect !== 'function') return
  collect()
  // Pages that are empty now wait in a pool, for eight seconds or for use: this kind gives them back first.
  collect({ type: 'major', flavor: 'last-resort' })
}
