// One request up the chain of its property: whoever the plan names first, then the next when one cannot be reached, does
// not answer, refuses, or answers with what the property fails over on, as long as no byte has gone to a client.
import { EdgewardError } from '../../src/errors.ts'
import { headerOf } from '../fill/fetch.ts'
import { PEER_FIELD } from '../../src/wire/peer-token.ts'
import { planUpstreams } from './plan.ts'
import type { PlanRequest, Upstream } from './plan.ts'
import type { PropertyChain } from './property-chain.ts'
import type { UpstreamFlow, UpstreamHead, UpstreamRequest, UpstreamSink } from './upstream.ts'
import { downError, isOfConnection, isUnreachable, wasIdleConnection } from './upstream-error.ts'
import type { UpstreamState } from './upstream-state.ts'
import type { Sent, Upstreams } from './upstreams.ts'

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

export function pullThroughChain(
  upstreams: Upstreams,
  chain: PropertyChain,
  asked: PlanRequest,
  request: UpstreamRequest,
  sink: UpstreamSink,
): void {
  const originsAlone = asked.originsAlone || !upstreams.isKnownToOthers
  const wanted = { ...asked, originsAlone }
  const plan = planUpstreams(chain, upstreams.guided, upstreams.edgeId, wanted, upstreams.random)
  upstreams.budget.note()
  new ChainPull(upstreams, chain, plan, request, sink).begin()
}

interface Attempt {
  readonly upstream: Upstream
  /** As it was when the attempt began: it may be forgotten by the time it ends. */
  readonly state: UpstreamState
  /** The same upstream a second time: the first connection was an idle one that it had just closed. */
  readonly again: boolean
  readonly sentMs: number
  sent: Sent | null
}

class ChainPull {
  readonly #upstreams: Upstreams
  readonly #chain: PropertyChain
  readonly #plan: readonly Upstream[]
  readonly #request: UpstreamRequest
  readonly #sink: UpstreamSink
  /** What may not be repeated goes to one upstream, once (RFC 9110 §9.2.2). */
  readonly #repeatable: boolean
  readonly #running = new Set<Attempt>()
  readonly #asked = new Set<Upstream>()
  /** Of those, who was asked beside another that was slow. */
  readonly #hedges = new Set<Upstream>()
  /** Where the tier that is asked begins in the plan. */
  #from = 0
  #originsAsked = 0
  #hedge: NodeJS.Timeout | null = null

  constructor(
    upstreams: Upstreams,
    chain: PropertyChain,
    plan: readonly Upstream[],
    request: UpstreamRequest,
    sink: UpstreamSink,
  ) {
    this.#upstreams = upstreams
    this.#chain = chain
    this.#plan = plan
    this.#request = request
    this.#sink = sink
    this.#repeatable = request.body === null && IDEMPOTENT.has(request.method)
  }

  begin(): void {
    const first = this.#takeNext() ?? this.#lastResort()
    if (first === undefined) {
      const names = this.#chain.origins.map(({ id }) => id).join(', ')
      this.#sink.onError(downError(`${names}: left alone, since it failed`))
      return
    }
    this.#attempt(first, false)
  }

  /** The next that may be asked now; it is to be asked then. */
  #takeNext(): Upstream | undefined {
    const nowMs = this.#upstreams.clock.monotonic()
    const next = this.#left().find((upstream) => this.#upstreams.stateOf(upstream).ask(nowMs))
    if (next !== undefined) this.#begun(next)
    return next
  }

  /** Not asked yet, and no further down than who was: edges wait for each other's fetches by that (tier.ts). */
  #left(): readonly Upstream[] {
    const mayAskOrigins = this.#originsAsked < this.#chain.failover.attempts
    return this.#plan
      .slice(this.#from)
      .filter((upstream) => !this.#asked.has(upstream) && (mayAskOrigins || upstream.tier !== 'origins'))
  }

  #begun(upstream: Upstream): void {
    this.#asked.add(upstream)
    this.#from = this.#plan.findIndex(({ tier }) => tier === upstream.tier)
    if (upstream.tier === 'origins') this.#originsAsked++
  }

  /** All are left alone: one that answers, if with errors, is better than nothing. */
  #lastResort(): Upstream | undefined {
    const found = this.#plan.find((upstream) => this.#upstreams.stateOf(upstream).trouble === 'answers')
    if (found !== undefined) this.#begun(found)
    return found
  }

  /** The same within the budget, for a request that failed elsewhere. */
  #takeOther(isFree = false): Upstream | undefined {
    if (!this.#repeatable) return undefined
    const { clock, budget } = this.#upstreams
    const nowMs = clock.monotonic()
    if (!this.#left().some((upstream) => this.#upstreams.stateOf(upstream).isAskable(nowMs))) return undefined
    return isFree || budget.take(nowMs) ? this.#takeNext() : undefined
  }

  #attempt(upstream: Upstream, again: boolean): void {
    const state = this.#upstreams.stateOf(upstream)
    const sentMs = this.#upstreams.clock.monotonic()
    const attempt: Attempt = { upstream, state, again, sentMs, sent: null }
    this.#running.add(attempt)
    this.#sink.onTier?.(upstream.tier)
    this.#armHedge(upstream)
    let isAnswer = false
    const sent = this.#upstreams.send(upstream, this.#chain, this.#request, {
      onInterim: (status, fields) => this.#sink.onInterim(status, fields),
      onHead: (head, flow) => {
        isAnswer = this.#onHead(attempt, head, flow)
      },
      onData: (chunk) => this.#sink.onData(chunk),
      onEnd: () => this.#sink.onEnd(),
      onError: (error) => {
        if (isAnswer) this.#sink.onError(error)
        else this.#onFailure(attempt, error)
      },
    })
    attempt.sent = sent
  }

  /** True when it is the answer; else the flow is ended. */
  #onHead(attempt: Attempt, head: UpstreamHead, flow: UpstreamFlow): boolean {
    const { upstream, state } = attempt
    this.#running.delete(attempt)
    if (upstream.tier === 'origins') {
      const isTrouble = this.#chain.failover.statuses.includes(head.status)
      // One that another may have, such as a 404: that says nothing of this one.
      if (!isTrouble || head.status < 500) state.answered(this.#upstreams.clock.monotonic())
      else state.failed('answers', this.#upstreams.clock.monotonic())
      if (isTrouble) {
        const other = this.#running.size > 0 ? undefined : this.#takeOther()
        if (other !== undefined || this.#running.size > 0) {
          flow.abort()
          if (other !== undefined) this.#attempt(other, false)
          return false
        }
      }
    } else {
      // It is there, whatever it says of its own upstreams.
      state.answered(this.#upstreams.clock.monotonic())
      const refusal = headerOf(head.fields)(PEER_FIELD.toLowerCase())
      if (refusal !== undefined) {
        flow.abort()
        const error = refusedBy(head.upstream, refusal, head.status)
        // It has waited for its own upstreams as long as one may: another would wait as long again.
        if (error.code === 'origin_timeout') this.#end(error)
        else this.#goOn(error, !refusal.startsWith('origin_'))
        return false
      }
    }
    if (this.#hedges.has(upstream)) state.hedges.answered++
    this.#stopOthers()
    this.#sink.onHead(head, flow)
    return true
  }

  #onFailure(attempt: Attempt, error: EdgewardError): void {
    const { upstream, state, again } = attempt
    this.#running.delete(attempt)
    if (!again && this.#repeatable && wasIdleConnection(error)) {
      this.#attempt(upstream, true)
      return
    }
    const heldInVain = this.#request.holdMaxMs !== undefined && error.code === 'origin_timeout'
    if (heldInVain || error.source === 'self') state.givenUp()
    else this.#noteFailure(attempt, error)
    // Held for as long as anyone may be: another upstream would hold it as long again.
    if (heldInVain) this.#end(error)
    else this.#goOn(error)
  }

  #noteFailure({ state, sentMs }: Attempt, error: EdgewardError): void {
    const nowMs = this.#upstreams.clock.monotonic()
    const trouble = isUnreachable(error) ? 'unreachable' : 'answers'
    if (isOfConnection(error)) state.failed(trouble, nowMs)
    // A body that its client does not send to the end breaks off like an answer that does not come; and what is slow while
    // others are answered says something of itself.
    else if (this.#request.body !== null || state.answeredMs >= sentMs) state.givenUp()
    else state.failedInDoubt(trouble, nowMs)
  }

  /**
   * To the next, unless another is still being asked. `isFree`: an edge refused before it asked anybody, such as one whose
   * clock differs: that multiplies nothing, and it may do so with every request.
   */
  #goOn(error: EdgewardError, isFree = false): void {
    if (this.#running.size > 0) return
    const other = this.#takeOther(isFree)
    if (other === undefined) this.#end(error)
    else this.#attempt(other, false)
  }

  #end(error: EdgewardError): void {
    this.#stopOthers()
    this.#sink.onError(error)
  }

  /** Among origins only: edges further up ask each other for what is asked of two of them. */
  #armHedge(upstream: Upstream): void {
    const { hedge } = this.#chain.failover
    if (hedge === false || upstream.tier !== 'origins' || !this.#repeatable || this.#hedge !== null) return
    if (this.#request.holdMaxMs !== undefined) return
    this.#hedge = setTimeout(() => {
      this.#hedge = null
      const other = this.#takeOther()
      if (other === undefined) return
      this.#hedges.add(other)
      this.#upstreams.stateOf(other).hedges.sent++
      this.#attempt(other, false)
    }, hedge)
  }

  #stopOthers(): void {
    if (this.#hedge !== null) clearTimeout(this.#hedge)
    this.#hedge = null
    for (const { state, sent } of this.#running) {
      sent?.abort()
      state.givenUp()
    }
    this.#running.clear()
  }
}

/** What another edge refuses itself, in its own words; none of its origins has answered. */
function refusedBy(edge: string, code: string, status: number): EdgewardError {
  const timedOut = code === 'origin_timeout' || code === 'reload_timeout'
  const message = `${edge}: refused (${code}, ${status})`
  return new EdgewardError(timedOut ? 'origin_timeout' : 'origin_unreachable', 'peer', message, {
    retry: true,
  })
}
