// The command line: names the commands, reports failures in one line, maps them to exit codes
// (0 done, 1 failed, 2 usage or configuration).
import { Command, CommanderError } from 'commander'
import { ConfigError } from './config/config-error.ts'
import { messageOf } from './errors.ts'
import { VERSION } from './version.ts'

/** In the order of the help. Each is loaded when it is run: a daemon does not wait for, nor hold, what the others need. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map(
  Object.entries({
    demo: async () => (await import('./commands/demo.ts')).demoCommand(),
    scheduler: async () => (await import('./commands/scheduler.ts')).schedulerCommand(),
    edge: async () => (await import('./commands/edge.ts')).edgeCommand(),
    check: async () => (await import('./commands/check.ts')).checkCommand(),
    config: async () => (await import('./commands/config.ts')).configCommand(),
    explain: async () => (await import('./commands/explain.ts')).explainCommand(),
    status: async () => (await import('./commands/status.ts')).statusCommand(),
    purge: async () => (await import('./commands/purge.ts')).purgeCommand(),
    prefetch: async () => (await import('./commands/prefetch.ts')).prefetchCommand(),
    drain: async () => (await import('./commands/drain.ts')).drainCommand(),
    undrain: async () => (await import('./commands/undrain.ts')).undrainCommand(),
    sign: async () => (await import('./commands/sign.ts')).signCommand(),
    key: async () => (await import('./commands/key.ts')).keyCommand(),
  }),
)

const program = new Command('edgeward')
  .description('A self-hosted video CDN: edges near the viewers, a scheduler that knows where to send them.')
  .version(VERSION)
  .exitOverride()
const named = COMMANDS.get(process.argv[2] ?? '')
// Without the name of one, for the help or what was meant, all.
const loaded = (named === undefined ? [...COMMANDS.values()] : [named]).map((load) => load())
for (const command of await Promise.all(loaded)) program.addCommand(command.copyInheritedSettings(program))

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
  } else if (error instanceof ConfigError) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 2
  } else {
    process.stderr.write(`edgeward: ${messageOf(error)}\n`)
    process.exitCode = 1
  }
}
