// A process whose calendar is ahead: libfaketime (package faketime) moves the time of day and leaves alone the clock that
// timers go by, so that what holds until a date runs out and nothing else is disturbed.
import { globSync } from 'node:fs'

/** The environment of such a process; null where the library is missing. */
export function clockAhead(hours: number): Record<string, string> | null {
  const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
  if (library === undefined) return null
  return { LD_PRELOAD: library, FAKETIME: `+${hours}h`, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
}
