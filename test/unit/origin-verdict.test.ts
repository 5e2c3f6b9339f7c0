// Verdicts on origins step by step: down, back, the ramp, and how long one is left alone.
import fc from 'fast-check'
import t from 'tap'
import {
  HOLD_OFF_MS,
  HOLD_OFF_MS_MAX,
  RAMP_MS,
  RAMP_SHARES,
  STEADY_MS,
} from '../../scheduler/origin/limits.ts'
import { firstVerdict, nextVerdict, shareOf } from '../../scheduler/origin/verdict.ts'
import type { OriginEvidence, Verdict } from '../../scheduler/origin/verdict.ts'

const GOOD: OriginEvidence = { probes: 'up', edges: 'serving' }
const UNPROBED: OriginEvidence = { probes: 'unknown', edges: 'nothing' }

/** From one that was up at 0. */
function verdictAfter(...steps: [atMs: number, evidence: Partial<OriginEvidence>][]): Verdict {
  return steps.reduce(
    (verdict, [atMs, evidence]) => nextVerdict(verdict, { ...UNPROBED, ...evidence }, HOLD_OFF_MS, atMs),
    firstVerdict(0),
  )
}

t.test('either kind of evidence brings it down', async (t) => {
  t.match(verdictAfter([10, GOOD]), { state: 'up', sinceMs: 0 })
  t.match(verdictAfter([10, { probes: 'down' }]), { state: 'down', by: 'probes', sinceMs: 10 })
  t.match(verdictAfter([10, { edges: 'failing' }]), { state: 'down', by: 'edges', sinceMs: 10 })
  t.match(verdictAfter([10, { edges: 'unclear' }]), { state: 'up' })
  t.match(
    verdictAfter([10, { probes: 'up', edges: 'failing' }]),
    { state: 'down', by: 'edges' },
    'a health path may lie',
  )
})

t.test('what its probes brought down comes back when they do', async (t) => {
  const down: [number, Partial<OriginEvidence>] = [10, { probes: 'down' }]
  t.match(verdictAfter(down, [1000, { probes: 'up' }]), { state: 'returning', sinceMs: 1000 })
  t.match(verdictAfter(down, [60_000, { probes: 'down', edges: 'serving' }]), { state: 'down' })
  t.match(
    verdictAfter([10, { edges: 'failing' }], [900, { probes: 'down' }], [1500, { probes: 'up' }]),
    { state: 'returning' },
    'also when edges saw it first',
  )
})

t.test(
  'what edges brought down is left alone, then tried; twice as long each time that it fails again',
  async (t) => {
    const failing = { edges: 'failing' } as const
    const down: [number, Partial<OriginEvidence>] = [10, failing]
    t.match(verdictAfter(down, [10 + HOLD_OFF_MS - 1, GOOD]), { state: 'down' }, 'whatever else is said')
    const back: [number, Partial<OriginEvidence>] = [10 + HOLD_OFF_MS, {}]
    t.match(verdictAfter(down, back), { state: 'returning' })
    const again: [number, Partial<OriginEvidence>] = [6000, failing]
    t.match(verdictAfter(down, back, again), { state: 'down', heldOffMs: 2 * HOLD_OFF_MS })
    t.match(verdictAfter(down, back, again, [6000 + HOLD_OFF_MS, {}]), { state: 'down' })
    t.match(verdictAfter(down, back, again, [6000 + 2 * HOLD_OFF_MS, {}]), { state: 'returning' })
    const up: [number, Partial<OriginEvidence>] = [10 + HOLD_OFF_MS + RAMP_MS, GOOD]
    t.match(verdictAfter(down, back, up), { state: 'up', heldOffMs: HOLD_OFF_MS })
    t.match(
      verdictAfter(down, back, up, [up[0] + STEADY_MS, GOOD]),
      { state: 'up', heldOffMs: 0 },
      'forgotten in time',
    )
  },
)

t.test('the share of one that returns grows', async (t) => {
  const returning: Verdict = { state: 'returning', sinceMs: 1000, by: 'probes', heldOffMs: HOLD_OFF_MS }
  const shares = Array.from({ length: 5 }, (_, i) => shareOf(returning, 1000 + (RAMP_MS / 5) * i))
  t.same(shares, RAMP_SHARES)
  t.equal(shareOf(returning, 1000 + RAMP_MS), 1)
  t.equal(shareOf(firstVerdict(0), 5), 1)
  t.equal(shareOf({ ...returning, state: 'down' }, 5000), 0)
})

const anyEvidence: fc.Arbitrary<OriginEvidence> = fc.record({
  probes: fc.constantFrom('up', 'up', 'down', 'unknown'),
  edges: fc.constantFrom('failing', 'unclear', 'serving', 'nothing'),
})
const anyHistory = fc.array(fc.tuple(fc.constantFrom(50, 250, 5000, 61_000), anyEvidence), { maxLength: 60 })

t.test(
  'whatever comes: up only by way of returning, down only by evidence, and back in bounded time',
  async () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        let verdict = firstVerdict(0)
        let nowMs = 0
        for (const [pauseMs, evidence] of history) {
          nowMs += pauseMs
          const before = verdict
          verdict = nextVerdict(before, evidence, HOLD_OFF_MS, nowMs)
          if (before.state === 'down' && verdict.state === 'up') return false
          const isBad = evidence.probes === 'down' || evidence.edges === 'failing'
          if (before.state !== 'down' && (verdict.state === 'down') !== isBad) return false
          if (verdict.heldOffMs > HOLD_OFF_MS_MAX) return false
          const share = shareOf(verdict, nowMs)
          if (share < 0 || share > 1 || (share === 0) !== (verdict.state === 'down')) return false
        }
        const back = nextVerdict(verdict, UNPROBED, HOLD_OFF_MS, nowMs + HOLD_OFF_MS_MAX)
        return back.state !== 'down'
      }),
      { numRuns: 1000 },
    )
  },
)
