// A scheduler that answers DNS among edges that report every second.
import { setTimeout as delay } from 'node:timers/promises'
import { ReportingEdges } from '../lib/reporting-edges.ts'
import type { RunningProgram } from '../lib/processes.ts'
import { startSchedulerProgram } from '../lib/scheduler-program.ts'
import { CLUSTER, EDGE_IDS, SIZE, TTL_SECONDS, ZONE } from './service.ts'
import type { Service } from './service.ts'

/** How long the reports alone are watched. */
const IDLE_MS = 4000

export interface ReportedScheduler {
  readonly program: RunningProgram
  /** Of a core, what the reports take. */
  readonly reportsShare: number
  /** See ReportingEdges.hold. */
  holdReports(): () => void
  stop(): Promise<void>
}

/** Resolves when each edge has reported, and goes on to. */
export async function startEdgeward(
  { directory, cpus, port, cityFile }: Service,
  { reusePort, nodeFlags }: { readonly reusePort: boolean; readonly nodeFlags: readonly string[] },
): Promise<ReportedScheduler> {
  const { program, control } = await startSchedulerProgram({
    directory,
    cpus,
    cluster: CLUSTER,
    accessLog: false,
    cityFiles: [cityFile],
    dns: {
      listen: [`127.0.0.1:${port}`, `[::1]:${port}`],
      zone: ZONE,
      nameservers: ['ns1.example.net'],
      ttl: { steered: `${TTL_SECONDS}s` },
      rateLimit: false,
      reusePort,
    },
    nodeFlags,
  })
  const reporting = await ReportingEdges.start(control, EDGE_IDS, SIZE.edgeBandwidth)
  await delay(IDLE_MS)
  const before = program.cpuSeconds()
  await delay(IDLE_MS)
  const reportsShare = (program.cpuSeconds() - before) / (IDLE_MS / 1000)
  const stop = async () => {
    reporting.close()
    await program.stop()
  }
  return { program, reportsShare, holdReports: () => reporting.hold(), stop }
}
