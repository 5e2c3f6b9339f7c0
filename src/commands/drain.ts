// `edgeward drain EDGE`: no new client is sent to it; those it has are left alone. Holds until `edgeward undrain`.
import { Command } from 'commander'
import { adminOption } from './operator/admin-client.ts'
import { changeOverride } from './operator/override.ts'

interface DrainOptions {
  admin: string
  down?: true
  reason?: string
}

export function drainCommand(): Command {
  return new Command('drain')
    .description('Send an edge no new clients, until undrain.')
    .argument('<edge>', 'id of the edge')
    .option('--down', 'treat it as if it were silent: nothing relies on it any more')
    .option('--reason <text>', 'for whoever looks at status')
    .addOption(adminOption())
    .action(async (edge: string, { admin, down, reason }: DrainOptions) => {
      const state = down === true ? 'down' : 'drain'
      const done = down === true ? 'taken for down' : 'gets no new client'
      await changeOverride(admin, edge, { state, ...(reason !== undefined && { reason }) }, done)
    })
}
