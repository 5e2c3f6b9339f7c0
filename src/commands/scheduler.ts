// `edgeward scheduler`: runs the scheduler of a cluster until it is told to stop.
import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { loadSchedulerConfig } from '../config/load.ts'
import { runDaemon } from '../daemon.ts'
import type { Daemon } from '../daemon.ts'
import { createLogger } from '../log.ts'
import type { Logger } from '../log.ts'
import { keepHeapSmall } from '../small-heap.ts'

interface SchedulerOptions {
  config: string
  logLevel: string
}

export function schedulerCommand(): Command {
  return new Command('scheduler')
    .description('Run the scheduler: steers clients to edges, takes the reports of edges.')
    .option('--config <file>', 'configuration of the cluster', 'edgeward.yaml')
    .option('--log-level <level>', 'trace, debug, info, warn, error or silent', 'info')
    .action(async (options: SchedulerOptions) => {
      keepHeapSmall()
      const { daemon, log } = await start(options)
      await runDaemon(daemon, log)
    })
}

/** A function of its own: what waits for the daemon's end would keep the settings until then. */
async function start({
  config: file,
  logLevel: level,
}: SchedulerOptions): Promise<{ daemon: Daemon; log: Logger }> {
  // Only now: loading a daemon takes longer than most commands.
  const { startScheduler } = await import('../../scheduler/main.ts')
  const config = await loadSchedulerConfig(file, process.env)
  const log = createLogger({ daemon: 'scheduler', id: config.settings.cluster, level })
  return { daemon: await startScheduler(config, { clock: systemClock, log }), log }
}
