// What requests to each origin came to since the last report, for the scheduler's verdict. Those in trouble first, where
// there are more than a report takes.
import { REPORTED_ORIGINS_MAX } from '../../src/wire/report.ts'
import type { OriginOutcomes } from '../../src/wire/report.ts'
import type { UpstreamState } from '../upstream/upstream-state.ts'

export function takeOriginOutcomes(states: readonly UpstreamState[]): OriginOutcomes[] {
  const outcomes: OriginOutcomes[] = []
  for (const state of states) {
    if (state.kind !== 'origin') continue
    const { answered, failed } = state.takeOutcomes()
    if (answered + failed === 0 && !state.isOpen) continue
    outcomes.push({ id: state.id, ok: answered, failed, ...(state.isOpen ? { open: true as const } : {}) })
  }
  if (outcomes.length <= REPORTED_ORIGINS_MAX) return outcomes
  return outcomes.toSorted((a, b) => b.failed - a.failed).slice(0, REPORTED_ORIGINS_MAX)
}
