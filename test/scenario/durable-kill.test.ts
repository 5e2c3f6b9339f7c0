// Killed at random moments under load, an edge serves right bytes or none. The long form is bench/kill-soak.ts.
import t from 'tap'
import { runKillRounds } from '../kit/kill-rounds.ts'

const ROUNDS = Number(process.env['EDGEWARD_KILL_ROUNDS'] ?? 12)
const SEED = Number(process.env['EDGEWARD_KILL_SEED'] ?? 1)

// More than a dozen starts, each of which takes long on a busy machine.
t.setTimeout(300_000)

t.test(`${ROUNDS} kills, seed ${SEED}: every reply is the original`, async (t) => {
  const summary = await runKillRounds(t, ROUNDS, SEED)
  t.comment(summary)
  t.equal(summary.rounds, ROUNDS)
  t.ok(summary.right > ROUNDS, 'there was load')
  t.ok(summary.keptAtEnd > summary.objects / 4, `${summary.keptAtEnd} objects survived the last kill`)
})
