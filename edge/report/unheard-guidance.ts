// What of guidance holds where no scheduler is heard, after a start or for a while: whom to fill from, and the secrets. That
// an origin is down does not: who would find it back is out of reach, perhaps for hours, so its circuit here decides.
import type { Guidance } from '../../src/wire/guidance.ts'

/** Of no version, so that the first word of a scheduler replaces it. */
export function unheard(guidance: Guidance): Guidance {
  const down = Object.entries(guidance.origins).filter(([, { state }]) => state === 'down')
  const origins = Object.fromEntries(down.map(([id, said]) => [id, { ...said, probed: false }]))
  return { ...guidance, version: '', origins }
}
