// Kills an edge under load a hundred times and compares every reply with the original:
// `node bench/kill-soak.ts [--rounds N] [--seed N]`. Ends with 1 at the first wrong byte.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { runKillRounds } from '../test/kit/kill-rounds.ts'
import { describeMachine } from './lib/machine.ts'

const RESULT = fileURLToPath(new URL('results/kill-soak.json', import.meta.url))

const options = new Command('kill-soak')
  .option('--rounds <count>', 'how often the edge is killed', '100')
  .option('--seed <number>', 'of the moments at which it is', '1')
  .parse()
  .opts<{ rounds: string; seed: string }>()

const endings: (() => unknown)[] = []
const scope = { teardown: (handler: () => unknown) => endings.unshift(handler) }
try {
  const seed = Number(options.seed)
  const summary = await runKillRounds(scope, Number(options.rounds), seed, (round, sofar) => {
    process.stdout.write(`${round}: ${sofar.right} right, ${sofar.failed} cut or refused\n`)
  })
  writeFileSync(RESULT, `${JSON.stringify({ machine: describeMachine(), seed, ...summary }, null, 2)}\n`)
  process.stdout.write(
    `${summary.rounds} ends, ${summary.right} replies compared, none wrong; ` +
      `${summary.keptAtEnd} of ${summary.objects} objects still there after the last kill\n`,
  )
} finally {
  for (const ending of endings) await ending()
}
