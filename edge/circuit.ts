// Whether something that fails is asked at all: after a row of failures it is left alone for a while, then one call
// finds out whether it is back. So what is dead costs a caller its timeout once in a while, and no more.

export interface CircuitSettings {
  /** In a row; then it is left alone. */
  readonly failuresMax: number
  /** For so long; each time that it is still not back doubles it, up to the last. */
  readonly restFirstMs: number
  readonly restLastMs: number
}

export interface Circuit {
  readonly settings: CircuitSettings
  /** In a row. */
  failures: number
  /** Until then it is left alone. */
  restsUntilMs: number
  restMs: number
  /** A call is on its way to find out. */
  probing: boolean
}

export function newCircuit(settings: CircuitSettings): Circuit {
  return { settings, failures: 0, restsUntilMs: 0, restMs: settings.restFirstMs, probing: false }
}

export function isOpen({ failures, settings }: Circuit): boolean {
  return failures >= settings.failuresMax
}

/** Whether a call may be made now; says nothing of whether it is. */
export function isAskable(circuit: Circuit, nowMs: number): boolean {
  return !isOpen(circuit) || (!circuit.probing && nowMs >= circuit.restsUntilMs)
}

/** If so, the caller says with `noteAnswer`, `noteFailure` or `noteNothing` what came of it. */
export function mayCall(circuit: Circuit, nowMs: number): boolean {
  if (!isAskable(circuit, nowMs)) return false
  if (isOpen(circuit)) circuit.probing = true
  return true
}

export function noteAnswer(circuit: Circuit): void {
  circuit.failures = 0
  circuit.restMs = circuit.settings.restFirstMs
  circuit.probing = false
}

/** True when it opens it. */
export function noteFailure(circuit: Circuit, nowMs: number): boolean {
  const wasOpen = isOpen(circuit)
  circuit.failures++
  // Calls that began before it opened say nothing new.
  if (wasOpen && !circuit.probing) return false
  circuit.probing = false
  if (!isOpen(circuit)) return false
  if (wasOpen) circuit.restMs = Math.min(circuit.settings.restLastMs, circuit.restMs * 2)
  circuit.restsUntilMs = nowMs + circuit.restMs
  return !wasOpen
}

/** The call was given up before anything came of it. */
export function noteNothing(circuit: Circuit): void {
  circuit.probing = false
}

/** Something else than a call has found that it does not answer. True when that opens it. */
export function trip(circuit: Circuit, nowMs: number): boolean {
  if (isOpen(circuit)) return false
  circuit.failures = circuit.settings.failuresMax
  circuit.restsUntilMs = nowMs + circuit.restMs
  return true
}
