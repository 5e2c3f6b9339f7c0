// Owns what an edge has to do with upstreams: their connections, places and circuits, and the guidance on whom to ask.
// Sends one request to one of them; whom, and what next, is decided by chain.ts.
import { systemClock, systemRandom } from '../../src/clock.ts'
import type { Clock, Random } from '../../src/clock.ts'
import { EdgewardError, messageOf } from '../../src/errors.ts'
import type { Guidance } from '../../src/wire/guidance.ts'
import { makePeerToken } from '../../src/wire/peer-token.ts'
import {
  EDGE_BODY_TIMEOUT_MS,
  EDGE_CONNECTIONS_MAX,
  EDGE_CONNECT_TIMEOUT_MS,
  EDGE_HEAD_EXTRA_MS,
} from '../limits.ts'
import { addressedToEdge, addressedToOrigin, peerTarget } from './addressed.ts'
import type { Addressed } from './addressed.ts'
import { AnswerHandler } from './answer-handler.ts'
import { UNGUIDED, compileGuidance } from './guided.ts'
import type { GuidedEdge } from './guided.ts'
import type { UpstreamOrigin } from './origin.ts'
import type { Slot, SlotKind } from './origin-slots.ts'
import type { Upstream } from './plan.ts'
import { Pools } from './pools.ts'
import type { PropertyChain } from './property-chain.ts'
import { RetryBudget } from './retry-budget.ts'
import { SilenceWatch } from './silence-watch.ts'
import type { UpstreamRequest, UpstreamSink } from './upstream.ts'
import { busyError, silentError } from './upstream-error.ts'
import { UpstreamState } from './upstream-state.ts'

export interface UpstreamsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly edgeId: string
  /** The last event of the cluster that is applied here. */
  readonly lastEvent: () => string
}

/** A request that was sent. */
export interface Sent {
  /** The sink hears nothing more. */
  abort(): void
}

interface Known {
  readonly state: UpstreamState
  readonly watch: SilenceWatch
}

export class Upstreams {
  readonly budget = new RetryBudget()
  guided = UNGUIDED
  /** An upstream is left alone from now on. One listener. */
  onOpen: ((state: UpstreamState) => void) | null = null
  readonly clock: Clock
  readonly random: Random
  readonly edgeId: string
  readonly #lastEvent: () => string
  readonly #pools = new Pools()
  /** By kind and id: as many as configuration and guidance name. */
  readonly #known = new Map<string, Known>()
  #origins: readonly UpstreamOrigin[] | null = null

  constructor(options: Partial<UpstreamsOptions> = {}) {
    this.clock = options.clock ?? systemClock
    this.random = options.random ?? systemRandom
    this.edgeId = options.edgeId ?? ''
    this.#lastEvent = options.lastEvent ?? (() => '')
  }

  /** The origins of the configuration from now on. */
  use(origins: readonly UpstreamOrigin[]): void {
    this.#origins = origins
    this.#forget()
  }

  guide(guidance: Guidance): void {
    this.guided = compileGuidance(guidance)
    this.#forget()
    // What others found, before this edge does; one request in turn finds out when it is back.
    for (const state of this.states) {
      const said = state.kind === 'origin' ? this.guided.origins.get(state.id) : undefined
      if (said?.state === 'down' && !said.probed) state.found(this.clock.monotonic())
    }
  }

  stateOf(upstream: Upstream): UpstreamState {
    return this.#knownOf(upstream).state
  }

  get states(): readonly UpstreamState[] {
    return [...this.#known.values()].map(({ state }) => state)
  }

  /** Whether any secret is good now: without one no edge can be asked. */
  get isKnownToOthers(): boolean {
    const nowMs = this.clock.now()
    return this.guided.secrets.some(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs)
  }

  /** A proof for a request to another edge; null when no secret is good now. */
  tokenFor(
    edge: GuidedEdge,
    tier: Exclude<Upstream['tier'], 'origins'>,
    method: string,
    target: string,
  ): string | null {
    const claims = { from: this.edgeId, tier, event: this.#lastEvent() }
    return makePeerToken(this.guided.secrets, claims, { to: edge.id, method, target }, this.clock.now())
  }

  /** The circuit is the caller's business, before and after. */
  send(upstream: Upstream, chain: PropertyChain, request: UpstreamRequest, sink: UpstreamSink): Sent {
    const { state, watch } = this.#knownOf(upstream)
    let handler: AnswerHandler | null = null
    let isOver = false
    let stopWaiting = notWaiting
    const end = () => {
      isOver = true
      stopWaiting()
    }
    const heard = endingWith(sink, () => stopWaiting(), end)
    state.slots.take(kindOf(request), (slot) => {
      if (isOver) slot?.release()
      else if (slot === null) heard.onError(busyError(state.id))
      else {
        handler = new AnswerHandler(state.id, heard, slot, () => watch.heard())
        const silenced = () => {
          handler?.abort()
          heard.onError(silentError(state.id))
        }
        // Held on purpose: that nothing comes says nothing.
        if (request.holdMaxMs === undefined) stopWaiting = watch.await(silenced)
        this.#dispatch(upstream, chain, request, handler, heard, slot)
      }
    })
    return {
      abort: () => {
        end()
        handler?.abort()
      },
    }
  }

  async close(): Promise<void> {
    for (const { watch } of this.#known.values()) watch.close()
    await this.#pools.close()
  }

  #dispatch(
    upstream: Upstream,
    chain: PropertyChain,
    request: UpstreamRequest,
    handler: AnswerHandler,
    sink: UpstreamSink,
    slot: Slot,
  ): void {
    const { method, body, holdMaxMs } = request
    try {
      const { path, fields } = this.#addressed(upstream, chain, request)
      const { key, origin, settings } = this.#poolOf(upstream)
      const headersTimeout = holdMaxMs ?? (upstream.tier === 'origins' ? undefined : edgeHeadMs(chain))
      this.#pools.of(key, settings).dispatch(
        {
          origin,
          path,
          method,
          headers: [...fields],
          body,
          ...(headersTimeout !== undefined && { headersTimeout }),
        },
        handler,
      )
    } catch (error) {
      slot.release()
      sink.onError(
        error instanceof EdgewardError
          ? error
          : new EdgewardError('internal', 'self', messageOf(error), { cause: error }),
      )
    }
  }

  #addressed(upstream: Upstream, chain: PropertyChain, request: UpstreamRequest): Addressed {
    if (upstream.tier === 'origins') return addressedToOrigin(upstream.origin, request, this.clock.now())
    const path = peerTarget(upstream.edge, chain.property, request.path)
    const token = this.tokenFor(upstream.edge, upstream.tier, request.method, path)
    if (token === null) {
      const message = `${upstream.edge.id}: no secret is good now, to be known by`
      throw new EdgewardError('origin_refused', 'self', message, { retry: true })
    }
    return addressedToEdge(path, token, request)
  }

  #poolOf(upstream: Upstream) {
    if (upstream.tier !== 'origins') {
      const { origin } = upstream.edge
      const connections = this.stateOf(upstream).slots.total
      const timeouts = { connect: EDGE_CONNECT_TIMEOUT_MS, head: 0, body: EDGE_BODY_TIMEOUT_MS }
      return { key: keyOf(upstream), origin, settings: () => ({ origin, connections, timeouts }) }
    }
    const { origin } = upstream
    const connections = this.stateOf(upstream).slots.total
    return {
      key: keyOf(upstream),
      origin: origin.origin,
      settings: () => ({
        origin: origin.origin,
        connections,
        timeouts: origin.timeouts,
        tls: origin.tls,
        serverName: serverNameOf(origin.host),
      }),
    }
  }

  #knownOf(upstream: Upstream): Known {
    const [kind, id, base, connections] =
      upstream.tier === 'origins'
        ? (['origin', upstream.origin.id, upstream.origin.origin, upstream.origin.connections] as const)
        : (['edge', upstream.edge.id, upstream.edge.origin, EDGE_CONNECTIONS_MAX] as const)
    // Not by its id alone: what was found of an origin says nothing of one that stands elsewhere under its name.
    const name = keyOf(upstream)
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const state = new UpstreamState(id, kind, connections, (opened) => this.onOpen?.(opened))
    const watch = new SilenceWatch(base, this.clock, () => state.found(this.clock.monotonic()))
    const made = { state, watch }
    this.#known.set(name, made)
    return made
  }

  /** What is no longer named. One that is used once more, by a request that began before, is made anew. */
  #forget(): void {
    const origins = this.#origins
    const edges = [...this.guided.edges.values()]
    const named = new Set([...(origins ?? []).map(originKey), ...edges.map(edgeKey)])
    const isKept = (key: string) => named.has(key) || (origins === null && key.startsWith('origin '))
    this.#pools.keep(isKept)
    for (const key of this.#known.keys()) if (!isKept(key)) this.#known.delete(key)
  }
}

const originKey = ({ pool }: UpstreamOrigin) => `origin ${pool}`
const edgeKey = ({ id, origin }: GuidedEdge) => `edge ${id} ${origin}`

function keyOf(upstream: Upstream): string {
  return upstream.tier === 'origins' ? originKey(upstream.origin) : edgeKey(upstream.edge)
}

/** RFC 6066 §3: an address is no name to ask for. */
function serverNameOf(host = ''): string | undefined {
  const name = host.replace(/:\d+$/, '')
  return /^(?:\[.*|[\d.]*)$/.test(name) ? undefined : name
}

/** Until a head is awaited. */
const notWaiting = () => {}

/** The longest that its own upstreams may take, and a little. */
function edgeHeadMs({ origins }: PropertyChain): number {
  return Math.max(...origins.map(({ timeouts }) => timeouts.head)) + EDGE_HEAD_EXTRA_MS
}

/** A body goes up as slowly as its client sends it. */
function kindOf({ body, holdMaxMs }: UpstreamRequest): SlotKind {
  if (body !== null) return 'passing'
  return holdMaxMs === undefined ? 'filling' : 'held'
}

/** The same sink, which hears nothing after its end; tells when the head is there, and when it is over. */
function endingWith(sink: UpstreamSink, onHead: () => void, onOver: () => void): UpstreamSink {
  return {
    onInterim: (status, fields) => sink.onInterim(status, fields),
    onHead(head, flow) {
      onHead()
      sink.onHead(head, flow)
    },
    onData: (chunk) => sink.onData(chunk),
    onEnd() {
      onOver()
      sink.onEnd()
    },
    onError(error) {
      onOver()
      sink.onError(error)
    },
  }
}
