// A scheduler as a real process on free ports, and reports to it by the keys of its edges.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fetch } from 'undici'
import { stringify } from 'yaml'
import { z } from 'zod'
import type { EdgeReport } from '../../src/wire/report.ts'
import type { Place } from './namespaces.ts'
import { startDaemon } from './process.ts'
import type { DaemonProcess } from './process.ts'
import { keyOf, reportOf, schedulerSettingsText } from './scheduler.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'
import { until } from './until.ts'

const edgesSchema = z.object({ edges: z.array(z.object({ id: z.string(), state: z.string() })) })

export interface SchedulerProcess {
  readonly daemon: DaemonProcess
  readonly steering: string
  readonly control: string
  readonly admin: string
  /** Reports once, as that edge; gives the status. */
  report(id: string, over?: Partial<EdgeReport>): Promise<number>
  /** Reports every second until the returned function is called or the test ends. */
  keepReporting(id: string, over?: Partial<EdgeReport>): () => void
  /** Waits until the scheduler sees the edge so. */
  untilState(id: string, state: string, withinMs?: number): Promise<void>
}

/** The `edgeward.yaml` of a test in a directory of its own. */
export async function schedulerFile(t: TestScope, over: Record<string, unknown> = {}): Promise<string> {
  const file = path.join(await tempDirectory(t), 'edgeward.yaml')
  const { scheduler, ...rest } = schedulerSettingsText(over)
  // Its edges are at no address: what a test's machine makes of their names must not matter.
  await writeFile(file, stringify({ ...rest, scheduler: Object.assign({ probes: false }, scheduler) }))
  return file
}

export async function startSchedulerProcess(
  t: TestScope,
  over: Record<string, unknown> = {},
  /** Where its listeners are; left out: on loopback. */
  { within }: Pick<Place, 'within'> = { within: [] },
): Promise<SchedulerProcess> {
  const file = await schedulerFile(t, over)
  const daemon = await startDaemon(t, ['scheduler', '--config', file], { within })
  const { steering = '', control = '', admin = '' } = daemon.listeners
  const report = async (id: string, said: Partial<EdgeReport> = {}) => {
    const answer = await fetch(`${control}/edge/v1/report`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keyOf(id)}`, 'content-type': 'application/json' },
      body: JSON.stringify(reportOf(id, said)),
    })
    await answer.body?.cancel()
    return answer.status
  }
  return {
    daemon,
    steering,
    control,
    admin,
    report,
    keepReporting(id, said) {
      // A report that fails because the scheduler has ended is what some tests are about.
      const once = () => void report(id, said).catch(() => undefined)
      once()
      const timer = setInterval(once, 1000)
      t.teardown(() => clearInterval(timer))
      return () => clearInterval(timer)
    },
    async untilState(id, state, withinMs) {
      await until(`${id} is ${state}`, async () => (await stateOf(admin, id)) === state, withinMs)
    },
  }
}

async function stateOf(admin: string, id: string): Promise<string | undefined> {
  const answer = await fetch(`${admin}/api/v1/edges`)
  const { edges } = edgesSchema.parse(await answer.json())
  return edges.find((edge) => edge.id === id)?.state
}
