// The command line: names the commands, reports failures in one line, maps them to exit codes
// (0 done, 1 failed, 2 usage or configuration).
import { Command, CommanderError } from 'commander'
import { checkCommand } from './commands/check.ts'
import { configCommand } from './commands/config.ts'
import { demoCommand } from './commands/demo.ts'
import { drainCommand } from './commands/drain.ts'
import { prefetchCommand } from './commands/prefetch.ts'
import { purgeCommand } from './commands/purge.ts'
import { edgeCommand } from './commands/edge.ts'
import { explainCommand } from './commands/explain.ts'
import { keyCommand } from './commands/key.ts'
import { schedulerCommand } from './commands/scheduler.ts'
import { signCommand } from './commands/sign.ts'
import { statusCommand } from './commands/status.ts'
import { undrainCommand } from './commands/undrain.ts'
import { ConfigError } from './config/config-error.ts'
import { messageOf } from './errors.ts'
import { VERSION } from './version.ts'

const program = new Command('edgeward')
  .description('A self-hosted video CDN: edges near the viewers, a scheduler that knows where to send them.')
  .version(VERSION)
  .exitOverride()
  .addCommand(demoCommand())
  .addCommand(schedulerCommand())
  .addCommand(edgeCommand())
  .addCommand(checkCommand())
  .addCommand(configCommand())
  .addCommand(explainCommand())
  .addCommand(statusCommand())
  .addCommand(purgeCommand())
  .addCommand(prefetchCommand())
  .addCommand(drainCommand())
  .addCommand(undrainCommand())
  .addCommand(signCommand())
  .addCommand(keyCommand())
for (const command of program.commands) command.copyInheritedSettings(program)

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
