// Whether a hook is asked at all: after a row of failures it is left alone for a while, then one call finds out
// whether it is back. So a dead hook costs a request its timeout once in a while, and no more.
import { HOOK_FAILURES_MAX, HOOK_REST_MS } from '../limits.ts'

export interface Circuit {
  /** In a row. */
  failures: number
  /** Until then it is left alone. */
  restsUntilMs: number
  /** A call is on its way to find out. */
  probing: boolean
}

export function newCircuit(): Circuit {
  return { failures: 0, restsUntilMs: 0, probing: false }
}

export function isOpen(circuit: Circuit): boolean {
  return circuit.failures >= HOOK_FAILURES_MAX
}

/** If so, the caller says with `noteAnswer` or `noteFailure` what came of it. */
export function mayCall(circuit: Circuit, nowMs: number): boolean {
  if (!isOpen(circuit)) return true
  if (circuit.probing || nowMs < circuit.restsUntilMs) return false
  circuit.probing = true
  return true
}

export function noteAnswer(circuit: Circuit): void {
  circuit.failures = 0
  circuit.probing = false
}

export function noteFailure(circuit: Circuit, nowMs: number): void {
  circuit.failures++
  circuit.probing = false
  if (isOpen(circuit)) circuit.restsUntilMs = nowMs + HOOK_REST_MS
}
