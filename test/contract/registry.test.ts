// What every registry must do. The Redis one runs against a real redis-server.
import t from 'tap'
import { MemoryRegistry } from '../../scheduler/registry/memory.ts'
import { RedisRegistry } from '../../scheduler/registry/redis.ts'
import { ageOf } from '../../scheduler/registry/registry.ts'
import type { Registry } from '../../scheduler/registry/registry.ts'
import { backgroundRunner } from '../../src/background.ts'
import { silentLogger } from '../../src/log.ts'
import { StillClock, reportOf } from '../kit/scheduler.ts'
import { startRedis } from '../kit/redis-server.ts'
import type { TestScope } from '../kit/scope.ts'

const KINDS: Record<string, (t: TestScope, clock: StillClock) => Promise<Registry>> = {
  memory: async (_t, clock) => new MemoryRegistry(clock),
  redis: async (t, clock) => {
    const { url } = await startRedis(t)
    return RedisRegistry.open({
      url,
      cluster: 'test',
      edges: ['gz-1', 'gz-2'],
      clock,
      log: silentLogger,
      background: backgroundRunner(silentLogger),
    })
  },
}

for (const [kind, open] of Object.entries(KINDS)) {
  t.test(`${kind} registry`, async (t) => {
    const clock = new StillClock()
    const registry = await open(t, clock)
    t.teardown(() => registry.close())

    t.equal(registry.kind, kind)
    t.same(registry.status(), { state: 'healthy' })
    t.equal(registry.seen().size, 0, 'knows nothing at first')

    let changes = 0
    registry.onChange = () => changes++
    registry.record(reportOf('gz-1', { connections: 1 }))
    t.equal(changes, 1, 'tells of a change')
    const first = registry.seen()
    t.match(first.get('gz-1'), { report: { connections: 1 }, receivedAtMs: clock.nowMs, heldAtMs: null })
    t.equal(first.get('gz-2'), undefined)

    clock.pass(700)
    registry.record(reportOf('gz-2'))
    registry.record(reportOf('gz-1', { connections: 2, state: 'draining' }))
    const second = registry.seen()
    t.equal(first.size, 1, 'a view that was given out does not change')
    t.equal(first.get('gz-1')?.report.connections, 1)
    t.match(second.get('gz-1'), { report: { connections: 2, state: 'draining' }, receivedAtMs: clock.nowMs })
    t.equal(second.size, 2)

    clock.pass(60_000)
    const silent = registry.seen().get('gz-2')
    t.ok(silent, 'a silent edge is remembered')
    if (silent !== undefined) t.equal(ageOf(silent, clock.nowMs), 60_000, 'with its age')

    registry.record(reportOf('gz-2'))
    t.equal(registry.seen().get('gz-2')?.receivedAtMs, clock.nowMs, 'and comes back with its next report')
  })
}
