// `edgeward undrain EDGE`: removes what operators said of it; it counts by its own reports again.
import { Command } from 'commander'
import { adminOption } from './operator/admin-client.ts'
import { changeOverride } from './operator/override.ts'

export function undrainCommand(): Command {
  return new Command('undrain')
    .description('Take back drain, down and weight of an edge.')
    .argument('<edge>', 'id of the edge')
    .addOption(adminOption())
    .action((edge: string, { admin }: { admin: string }) =>
      changeOverride(admin, edge, null, 'counts by its own reports'),
    )
}
