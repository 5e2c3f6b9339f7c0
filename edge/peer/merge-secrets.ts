// The secrets that edges prove themselves with, as one guidance after the other names them. Pure.
import { PEER_SECRETS_MAX } from '../../src/wire/guidance.ts'
import type { PeerSecret } from '../../src/wire/guidance.ts'

/**
 * What is named now, and of what was known before all that has not run out: a scheduler that lost its secrets hands out
 * others, and edges that have not heard of those yet go on with theirs. Of too many the first to run out go.
 */
export function mergeSecrets(
  named: readonly PeerSecret[],
  known: readonly PeerSecret[],
  nowMs: number,
): PeerSecret[] {
  const names = new Set(named.map(({ id }) => id))
  const kept = known
    .filter(({ id, untilMs }) => !names.has(id) && untilMs > nowMs)
    .toSorted((a, b) => b.untilMs - a.untilMs)
  return [...named, ...kept].slice(0, PEER_SECRETS_MAX)
}
