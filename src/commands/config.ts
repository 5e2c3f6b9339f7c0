// `edgeward config`: makes a changed edgeward.yaml the one that runs, shows which edge runs what, goes back. Exit code 2
// for a file that cannot be used, 1 where something that lives does not run it.
import { Command } from 'commander'
import { setTimeout as wait } from 'node:timers/promises'
import {
  CONFIG_ANSWER_MS,
  configAppliedSchema,
  configHistorySchema,
  configStatusSchema,
} from '../wire/config-rollout.ts'
import type { ConfigApplied, ConfigStatus } from '../wire/config-rollout.ts'
import { historyLines, statusLines, summaryOf } from './config/config-page.ts'
import { AdminRefusal, adminOption, askAdmin } from './operator/admin-client.ts'

interface AdminOptions {
  admin: string
}

/** How long the command waits for live edges, and between two looks. */
const WAIT_MS = 10_000
const LOOK_EVERY_MS = 100

const PATIENT = { timeoutMs: CONFIG_ANSWER_MS }

export function configCommand(): Command {
  const command = new Command('config').description('Roll out the configuration of the cluster.')
  for (const one of [applyCommand(), statusCommand(), historyCommand(), rollbackCommand()]) {
    command.addCommand(one.exitOverride())
  }
  return command
}

function applyCommand(): Command {
  return new Command('apply')
    .description('Run the configuration file of the scheduler as it is now, at every scheduler and edge.')
    .addOption(adminOption())
    .action(async ({ admin }: AdminOptions) => roll(admin, 'apply', {}))
}

function rollbackCommand(): Command {
  return new Command('rollback')
    .description('Make an older version current again, under a new number.')
    .argument('<version>', 'its number, as `edgeward config history` shows it')
    .addOption(adminOption())
    .action(async (text: string, { admin }: AdminOptions, command: Command) => {
      const version = Number(text)
      if (!Number.isSafeInteger(version) || version < 1) command.error('error: version must be a number')
      await roll(admin, 'rollback', { version })
    })
}

function statusCommand(): Command {
  return new Command('status')
    .description('Say which version runs, and which edge runs what.')
    .option('--json', 'print one JSON object')
    .addOption(adminOption())
    .action(async ({ admin, json }: AdminOptions & { json?: true }) => {
      const status = await askAdmin(admin, '/api/v1/config', configStatusSchema, PATIENT)
      const text = json === true ? JSON.stringify(status) : statusLines(status).join('\n')
      process.stdout.write(`${text}\n`)
    })
}

function historyCommand(): Command {
  return new Command('history')
    .description('List the versions that are kept.')
    .option('--json', 'print one JSON object')
    .addOption(adminOption())
    .action(async ({ admin, json }: AdminOptions & { json?: true }) => {
      const history = await askAdmin(admin, '/api/v1/config/versions', configHistorySchema)
      const text = json === true ? JSON.stringify(history) : historyLines(history).join('\n')
      process.stdout.write(`${text}\n`)
    })
}

const OUTCOME_WORDS: Record<ConfigApplied['outcome'], string> = {
  applied: 'is current',
  unchanged: 'runs already',
  reread: 'runs with changed files',
}

async function roll(admin: string, what: 'apply' | 'rollback', body: object): Promise<void> {
  try {
    const asked = { method: 'POST', body, ...PATIENT } as const
    const { outcome, version } = await askAdmin(admin, `/api/v1/config/${what}`, configAppliedSchema, asked)
    process.stdout.write(`version ${version} ${OUTCOME_WORDS[outcome]}\n`)
  } catch (error) {
    // Of the file, not of the scheduler: as it is said of one that does not start.
    if (!(error instanceof AdminRefusal) || (error.status !== 422 && error.status !== 409)) throw error
    process.stderr.write(`edgeward: ${error.reason}\n`)
    process.exitCode = 2
    return
  }
  const status = await untilApplied(admin)
  process.stdout.write(`${summaryOf(status)}\n`)
  if (status.edges.some(({ state }) => state === 'refused' || state === 'pending')) process.exitCode = 1
}

/** Every edge that lives has said that it runs it, or cannot; or the time is over. */
async function untilApplied(admin: string): Promise<ConfigStatus> {
  for (let waited = 0; ; waited += LOOK_EVERY_MS) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const status = await askAdmin(admin, '/api/v1/config', configStatusSchema, PATIENT)
    if (waited >= WAIT_MS || status.edges.every(({ state }) => state !== 'pending')) return status
    // oxlint-disable-next-line no-await-in-loop
    await wait(LOOK_EVERY_MS)
  }
}
