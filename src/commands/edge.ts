// `edgeward edge`: runs one edge until it is told to stop.
import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { loadEdgeConfig } from '../config/load.ts'
import { runDaemon } from '../daemon.ts'
import { createLogger } from '../log.ts'

export function edgeCommand(): Command {
  return new Command('edge')
    .description('Run an edge: caches near the viewers, joined to a scheduler or standalone.')
    .requiredOption('-c, --config <file>', 'edge.yaml')
    .option('--log-level <level>', 'fatal, error, warn, info, debug', 'info')
    .action(async (options: { config: string; logLevel: string }) => {
      // Only now: loading a daemon takes longer than most commands.
      const { startEdge } = await import('../../edge/main.ts')
      const config = await loadEdgeConfig(options.config, process.env)
      const log = createLogger({ daemon: 'edge', id: config.settings.id, level: options.logLevel })
      const daemon = await startEdge(config, { clock: systemClock, log })
      await runDaemon(daemon, log)
    })
}
