// How what a file says stands among the versions that are kept.
import type { ConfigVersion } from '../../src/wire/config-rollout.ts'

/** older: an earlier version; something else has become current since. unknown: of none that is kept. */
export type FileStanding =
  | { readonly is: 'current' | 'older'; readonly version: ConfigVersion }
  | { readonly is: 'unknown' }

/** `hash`: its identity. */
export function standingOfFile(hash: string, versions: readonly ConfigVersion[]): FileStanding {
  const version = versions.findLast((one) => one.hash === hash)
  if (version === undefined) return { is: 'unknown' }
  return { is: version === versions.at(-1) ? 'current' : 'older', version }
}
