// `node test/sim/run.ts --seed N --minutes M`: a long simulation. Prints the seed, what happened and what was found;
// exit code 1 when an invariant was broken, 2 for options that make no sense.
import { parseArgs } from 'node:util'
import { systemRandom } from '../../src/clock.ts'
import { pageOf } from './report.ts'
import { EVENT_KINDS } from './script.ts'
import { loadGround, Simulation } from './simulation.ts'

/** So long that sites come to rest in between. */
const ROUND_MS = 180_000

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '4' },
    sessions: { type: 'string', default: '1000000' },
    length: { type: 'string', default: '30' },
    events: { type: 'string', default: EVENT_KINDS.join(',') },
  },
})
const seed = values.seed === undefined ? Math.floor(systemRandom() * 2 ** 31) : Number(values.seed)
const [minutes, sessionsPerMinute, lengthS] = [values.minutes, values.sessions, values.length].map(Number)
const events = EVENT_KINDS.filter((kind) => values.events.split(',').includes(kind))
if (
  !Number.isInteger(seed) ||
  minutes === undefined ||
  sessionsPerMinute === undefined ||
  lengthS === undefined ||
  !(minutes > 0 && sessionsPerMinute > 0 && lengthS > 0)
) {
  process.stderr.write(
    'usage: run.ts [--seed N] [--minutes M] [--sessions A-MINUTE] [--length SECONDS] [--events KINDS]\n',
  )
  process.exit(2)
}
// Before anything can fail.
process.stdout.write(`seed ${seed}\n`)
const simulation = new Simulation(
  { seed, minutes, sessionsPerMinute, meanSessionMs: lengthS * 1000, events, roundMs: ROUND_MS },
  await loadGround(),
)
simulation.run(({ nowMs }) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${Math.round(nowMs / 1000)} s`)
})
process.stdout.write(`${pageOf(simulation)}\n`)
process.exitCode = simulation.violations.total === 0 ? 0 : 1
