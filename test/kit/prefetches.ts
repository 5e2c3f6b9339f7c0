// The prefetches of a lone scheduler, for tests of what stands around them.
import { MemoryEventLog } from '../../scheduler/events/memory-log.ts'
import { MemoryPrefetchStore } from '../../scheduler/prefetch/memory-store.ts'
import { Prefetches } from '../../scheduler/prefetch/prefetches.ts'
import type { PrefetchesDeps } from '../../scheduler/prefetch/prefetches.ts'
import type { Clock } from '../../src/clock.ts'
import { silentLogger } from '../../src/log.ts'

export function memoryPrefetches(
  clock: Clock,
  snapshots: PrefetchesDeps['snapshots'],
  events: PrefetchesDeps['events'] = new MemoryEventLog(clock),
): Prefetches {
  return new Prefetches({
    store: new MemoryPrefetchStore(clock),
    events,
    snapshots,
    clock,
    log: silentLogger,
  })
}
