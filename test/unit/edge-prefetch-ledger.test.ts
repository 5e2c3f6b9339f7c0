// Prefetched objects and whether anyone asked for them, against a clock that the test holds.
import t from 'tap'
import { PrefetchLedger } from '../../edge/prefetch/prefetch-ledger.ts'

const MINUTE_MS = 60_000

t.test('asked for in time, too late, while it arrived, and never', async (t) => {
  let nowMs = 0
  const ledger = new PrefetchLedger(() => nowMs)
  for (const key of ['soon', 'arriving', 'late', 'never']) ledger.began(key)
  ledger.asked('arriving')
  for (const key of ['soon', 'arriving', 'late', 'never']) ledger.ended(key, 10)
  nowMs = 4 * MINUTE_MS
  ledger.asked('soon')
  ledger.asked('soon')
  ledger.judge()
  t.match(ledger, { objects: 4, bytes: 40, usedObjects: 2, usedBytes: 20, unusedObjects: 0 })
  nowMs = 5 * MINUTE_MS
  ledger.judge()
  ledger.asked('late')
  t.match(ledger, { usedObjects: 2, usedBytes: 20, unusedObjects: 2, unusedBytes: 20 })
})

t.test('more than are remembered: the oldest count as unused', async (t) => {
  const ledger = new PrefetchLedger(() => 0)
  for (let i = 0; i < 30_000; i++) {
    ledger.began(`k${i}`)
    ledger.ended(`k${i}`, 1)
  }
  t.equal(ledger.unusedObjects, 10_000)
  ledger.asked('k0')
  ledger.asked('k29999')
  t.equal(ledger.usedObjects, 1)
})
