// Origins and guidance of a scheduler in a test, without its processes.
import { Filling, prepareFilling } from '../../scheduler/filling.ts'
import type { FillingDeps } from '../../scheduler/filling.ts'
import { MemorySecrets } from '../../scheduler/guidance/memory-secrets.ts'
import { backgroundRunner } from '../../src/background.ts'
import { edgeConfigOf } from '../../src/config/edge-config.ts'
import type { SchedulerSettings } from '../../src/config/scheduler-schema.ts'
import { silentLogger } from '../../src/log.ts'
import type { TestScope } from './scope.ts'

export function fillingOf(
  t: TestScope,
  settings: SchedulerSettings,
  deps: Pick<FillingDeps, 'topology' | 'snapshots' | 'clock'> & Partial<FillingDeps>,
  /** Of the configuration before. */
  before?: Filling,
): Filling {
  const secrets = deps.secrets ?? new MemorySecrets(deps.clock)
  const log = deps.log ?? silentLogger
  const filling = new Filling(
    prepareFilling(settings, deps.topology),
    {
      secrets,
      configVersion: edgeConfigOf(settings).version,
      originEvents: { onProbe: () => {}, onVerdict: () => {} },
      background: backgroundRunner(log),
      log,
      ...deps,
    },
    before,
  )
  t.teardown(async () => {
    filling.close()
    await secrets.close()
  })
  return filling
}
