// Circuits of upstreams and the budget of what is sent again, with the clock held.
import t from 'tap'
import {
  isOpen,
  mayCall,
  newCircuit,
  noteAnswer,
  noteFailure,
  noteNothing,
  trip,
} from '../../edge/circuit.ts'
import { RETRIES_A_SECOND, RETRIES_SAVED_MAX, UPSTREAM_CIRCUIT } from '../../edge/limits.ts'
import { RetryBudget } from '../../edge/upstream/retry-budget.ts'

const { failuresMax, restFirstMs, restLastMs } = UPSTREAM_CIRCUIT

t.test('rests double up to the last, and one answer ends them', async (t) => {
  const circuit = newCircuit(UPSTREAM_CIRCUIT)
  for (let i = 1; i < failuresMax; i++) t.notOk(noteFailure(circuit, 0), 'not yet')
  t.ok(noteFailure(circuit, 0), 'opens')
  let nowMs = 0
  for (const restMs of [1, 2, 4, 8, 16, 32, 64].map((n) => Math.min(restLastMs, n * restFirstMs))) {
    t.notOk(mayCall(circuit, nowMs + restMs - 1), `rests for ${restMs}`)
    nowMs += restMs
    t.ok(mayCall(circuit, nowMs))
    t.notOk(mayCall(circuit, nowMs), 'one at a time')
    noteFailure(circuit, nowMs)
  }
  t.ok(mayCall(circuit, nowMs + restLastMs))
  noteAnswer(circuit)
  t.notOk(isOpen(circuit))
  for (let i = 0; i < failuresMax; i++) noteFailure(circuit, nowMs)
  t.ok(mayCall(circuit, nowMs + restFirstMs), 'the first rest again')
})

t.test('calls that fail together open it once', async (t) => {
  const circuit = newCircuit(UPSTREAM_CIRCUIT)
  const opened = Array.from({ length: 50 }, () => noteFailure(circuit, 0)).filter(Boolean)
  t.equal(opened.length, 1)
  t.ok(mayCall(circuit, restFirstMs), 'they are one failure')
})

t.test('found gone by something else, and a call that nothing came of', async (t) => {
  const circuit = newCircuit(UPSTREAM_CIRCUIT)
  t.ok(trip(circuit, 0))
  t.notOk(trip(circuit, 0), 'known')
  t.ok(mayCall(circuit, restFirstMs))
  noteNothing(circuit)
  t.ok(mayCall(circuit, restFirstMs), 'the next finds out')
})

t.test('what is sent again: what was saved, then a fifth of the requests and so many a second', async (t) => {
  const budget = new RetryBudget()
  const take = (wanted: number, nowMs: number) =>
    Array.from({ length: wanted }, () => budget.take(nowMs)).filter(Boolean).length
  t.equal(take(1000, 0), RETRIES_SAVED_MAX)
  t.equal(budget.refused, 1000 - RETRIES_SAVED_MAX)
  for (let i = 0; i < 100; i++) budget.note()
  const fifth = take(1000, 0)
  // Fifths do not add up in binary.
  t.ok(fifth === 19 || fifth === 20, `${fifth}`)
  t.equal(take(1000, 1000), RETRIES_A_SECOND)
  t.equal(take(1000, 3_600_000), RETRIES_SAVED_MAX, 'no more is saved')
  t.equal(take(1, 0), 0, 'a clock that went back gives nothing')
})
