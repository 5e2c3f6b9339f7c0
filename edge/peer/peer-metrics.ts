// What other edges ask this one: requests by what they ask it as, bytes sent to them, and who was refused.
import { Counter } from 'prom-client'
import type { Registry } from 'prom-client'
import type { PeerTier } from '../../src/wire/guidance.ts'

/** token: none, or a bad one. behind: it knows of events that did not come here. request: by what it asked. */
export type PeerRefusalKind = 'token' | 'behind' | 'request'

export class PeerMetrics {
  readonly #requests: Counter<'tier'>
  readonly #bytes: Counter<'tier'>
  readonly #refusals: Counter<'reason'>

  constructor(registry: Registry) {
    const registers = [registry]
    this.#requests = new Counter({
      name: 'edgeward_edge_peer_requests_total',
      help: 'Requests of other edges, by what they asked this one as.',
      labelNames: ['tier'],
      registers,
    })
    this.#bytes = new Counter({
      name: 'edgeward_edge_peer_sent_bytes_total',
      help: 'Body bytes sent to other edges, by what they asked this one as.',
      labelNames: ['tier'],
      registers,
    })
    this.#refusals = new Counter({
      name: 'edgeward_edge_peer_refusals_total',
      help: 'Requests of other edges, or of who said so, that were refused before anything was looked up.',
      labelNames: ['reason'],
      registers,
    })
  }

  answered(tier: PeerTier, bodyBytes: number): void {
    this.#requests.inc({ tier })
    this.#bytes.inc({ tier }, bodyBytes)
  }

  refused(reason: PeerRefusalKind): void {
    this.#refusals.inc({ reason })
  }
}
