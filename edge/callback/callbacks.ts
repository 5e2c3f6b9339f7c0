// Asks the session hooks of all properties, and remembers what they said. One call a session, however many requests
// of it wait; a bound on calls and waiters of each hook; a hook that fails is left alone for a while. What holds
// without an answer, the property says.
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../src/clock.ts'
import type { CallbackSettings } from '../../src/config/callback-schema.ts'
import type { Logger } from '../../src/log.ts'
import type { SessionQuestion } from '../../src/wire/callback.ts'
import { isOpen, mayCall, newCircuit, noteAnswer, noteFailure, noteNothing } from '../circuit.ts'
import type { Circuit } from '../circuit.ts'
import { HOOK_CIRCUIT, VERDICTS_MAX } from '../limits.ts'
import { CallSlots } from './call-slots.ts'
import type { HookAnswer, HookClient } from './hook-client.ts'
import { ADMITTED, UNANSWERED, holdsMs, verdictOf } from './verdict.ts'
import type { Verdict } from './verdict.ts'

interface Remembered {
  readonly verdict: Verdict
  readonly untilMs: number
}

/** What is known of one property's hook, and counted. */
export interface HookState {
  readonly circuit: Circuit
  readonly slots: CallSlots
  /** Calls, by what came of them. */
  admitted: number
  denied: number
  failed: number
  /** Calls not made: the hook was left alone, or there was no room to wait. */
  spared: number
  /** Requests that an answer still held for. */
  remembered: number
  /** Requests without an answer, by what held then. */
  failedOpen: number
  failedClosed: number
}

export class Callbacks {
  /** One for each property that ever had a hook. */
  readonly hooks = new Map<string, HookState>()
  private readonly client: HookClient
  private readonly clock: Clock
  private readonly log: Logger
  private verdicts: LRUCache<string, Remembered> | null = null
  private readonly asking = new Map<string, Promise<Verdict | null>>()

  constructor(client: HookClient, clock: Clock, log: Logger) {
    this.client = client
    this.clock = clock
    this.log = log
  }

  /** At once if the answer is known. `question` is asked for if it is not. */
  judge(
    propertyId: string,
    settings: CallbackSettings,
    sessionKey: string,
    question: () => SessionQuestion,
  ): Verdict | Promise<Verdict> {
    const hook = this.hookOf(propertyId)
    const key = `${propertyId} ${sessionKey}`
    const known = this.verdicts?.get(key)
    if (known !== undefined && this.clock.monotonic() < known.untilMs) {
      hook.remembered++
      return known.verdict
    }
    let asked = this.asking.get(key)
    if (asked === undefined) {
      if (!mayCall(hook.circuit, this.clock.monotonic())) {
        hook.spared++
        return withoutAnswer(hook, settings)
      }
      asked = this.ask(hook, propertyId, settings, key, question()).finally(() => this.asking.delete(key))
      this.asking.set(key, asked)
    }
    return asked.then((verdict) => verdict ?? withoutAnswer(hook, settings))
  }

  /** null: there was no answer. */
  private async ask(
    hook: HookState,
    propertyId: string,
    settings: CallbackSettings,
    key: string,
    question: SessionQuestion,
  ): Promise<Verdict | null> {
    // The wait for a slot is part of it.
    const signal = AbortSignal.timeout(settings.timeout)
    if (!(await hook.slots.acquire(signal))) {
      hook.spared++
      // Says nothing of the hook that others do not find out.
      noteNothing(hook.circuit)
      return null
    }
    let answer: HookAnswer | string
    try {
      const body = JSON.stringify(question)
      answer = await this.client.post({ url: settings.url, key: settings.key, body, signal })
    } finally {
      hook.slots.release()
    }
    const verdict = typeof answer === 'string' ? undefined : verdictOf(answer)
    if (typeof answer === 'string' || verdict === undefined) {
      this.noteFailure(hook, propertyId, typeof answer === 'string' ? answer : `status ${answer.status}`)
      return null
    }
    if (isOpen(hook.circuit)) this.log.info({ property: propertyId }, 'session hook answers again')
    noteAnswer(hook.circuit)
    if (verdict.refusal === null) hook.admitted++
    else hook.denied++
    const untilMs = this.clock.monotonic() + holdsMs(answer, settings.cache)
    this.verdicts ??= new LRUCache({ max: VERDICTS_MAX })
    this.verdicts.set(key, { verdict, untilMs })
    return verdict
  }

  private noteFailure(hook: HookState, propertyId: string, err: string): void {
    hook.failed++
    const wasOpen = isOpen(hook.circuit)
    noteFailure(hook.circuit, this.clock.monotonic())
    // Once when it fails and once when it is back, not once a request.
    if (!wasOpen && isOpen(hook.circuit))
      this.log.error({ property: propertyId, err }, 'session hook does not answer')
  }

  private hookOf(propertyId: string): HookState {
    const known = this.hooks.get(propertyId)
    if (known !== undefined) return known
    const hook: HookState = {
      circuit: newCircuit(HOOK_CIRCUIT),
      slots: new CallSlots(),
      admitted: 0,
      denied: 0,
      failed: 0,
      spared: 0,
      remembered: 0,
      failedOpen: 0,
      failedClosed: 0,
    }
    this.hooks.set(propertyId, hook)
    return hook
  }
}

function withoutAnswer(hook: HookState, settings: CallbackSettings): Verdict {
  if (settings.onFailure === 'allow') {
    hook.failedOpen++
    return ADMITTED
  }
  hook.failedClosed++
  return UNANSWERED
}
