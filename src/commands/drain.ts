// `edgeward drain EDGE`: no new client is sent to it; those it has are left alone. Holds until `edgeward undrain`.
import { Command, InvalidArgumentError } from 'commander'
import { OVERRIDE_WEIGHT_MAX, OVERRIDE_WEIGHT_MIN } from '../wire/override.ts'
import { adminOption } from './operator/admin-client.ts'
import { changeOverride } from './operator/override.ts'

interface DrainOptions {
  admin: string
  down?: true
  weight?: number
  reason?: string
}

export function drainCommand(): Command {
  return new Command('drain')
    .description('Send an edge no new clients, or fewer or more of them, until undrain.')
    .argument('<edge>', 'id of the edge')
    .option('--down', 'treat it as if it were silent: nothing relies on it any more')
    .option('--weight <factor>', 'do not drain it: multiply its share of the clients, 0.01 to 100', factor)
    .option('--reason <text>', 'for whoever looks at status')
    .addOption(adminOption())
    .action(async (edge: string, { admin, down, weight, reason }: DrainOptions) => {
      const said = reason === undefined ? {} : { reason }
      if (weight !== undefined && down !== true) {
        return changeOverride(admin, edge, { weight, ...said }, `gets ${weight} times its share`)
      }
      const state = down === true ? 'down' : 'drain'
      const done = down === true ? 'taken for down' : 'gets no new client'
      const wanted = { state, ...(weight !== undefined && { weight }), ...said } as const
      return changeOverride(admin, edge, wanted, done)
    })
}

function factor(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= OVERRIDE_WEIGHT_MIN && value <= OVERRIDE_WEIGHT_MAX) return value
  throw new InvalidArgumentError(`It must be a number from ${OVERRIDE_WEIGHT_MIN} to ${OVERRIDE_WEIGHT_MAX}.`)
}
