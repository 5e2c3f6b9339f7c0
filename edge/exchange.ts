// One request on its way through the flow: what each step found out, for the steps after it.
import type { Background } from '../src/background.ts'
import type { Clock } from '../src/clock.ts'
import type { EdgewardError } from '../src/errors.ts'
import type { CacheStatus } from '../src/http/cache-status.ts'
import type { FieldPairs } from '../src/http/fields.ts'
import type { HttpReply, HttpRequest, Transaction } from '../src/http/transaction.ts'
import type { Logger } from '../src/log.ts'
import type { Places } from '../src/geo/places.ts'
import type { CidrTree } from '../src/net/cidr-tree.ts'
import type { PeerClaims } from '../src/wire/peer-token.ts'
import { noAccess } from './access/access-state.ts'
import type { AccessState } from './access/access-state.ts'
import type { Cache } from './cache/cache.ts'
import type { Callbacks } from './callback/callbacks.ts'
import type { Events } from './callback/events.ts'
import type { ObjectMeta } from './cache/object-meta.ts'
import type { CmcdMetrics } from './cmcd/cmcd-metrics.ts'
import type { KeyedRequest } from './fill/fetch.ts'
import type { Fills } from './fill/fills.ts'
import type { Pull } from './fill/pull.ts'
import type { Limited, Limiter } from './limits/limiter.ts'
import type { PeerMetrics } from './peer/peer-metrics.ts'
import type { Peering } from './peer/peering.ts'
import type { KnownPlaylists } from './playlist/known-playlists.ts'
import type { PlaylistForm, PlaylistForms } from './playlist/playlist-forms.ts'
import type { Prefetcher } from './prefetch/prefetcher.ts'
import type { Property, PropertyTable } from './property/property-table.ts'
import type { DenialMetrics } from './report/denial-metrics.ts'
import type { Traffic } from './report/traffic.ts'

/** What every exchange of an edge shares. */
export interface EdgeContext {
  readonly id: string
  readonly clock: Clock
  readonly cache: Cache
  readonly fills: Fills
  readonly traffic: Traffic
  readonly log: Logger
  readonly accessLog: boolean
  /** It takes no new clients. */
  readonly draining: boolean
  readonly background: Background
  readonly knownPlaylists: KnownPlaylists
  readonly playlistForms: PlaylistForms
  readonly prefetcher: Prefetcher
  readonly cmcd: CmcdMetrics
  readonly denials: DenialMetrics
  readonly limiter: Limiter
  readonly callbacks: Callbacks
  readonly events: Events
  /** Of the other edges of a cluster, once this one is joined. */
  peering: Peering
  readonly peers: PeerMetrics
  /** Peers whose Forwarded is believed. */
  readonly trustedProxies: CidrTree<true>
  /** GeoIP; null: no property asks for it. */
  readonly places: Places | null
  /** Swapped whole when the configuration changes; an exchange reads it once. */
  table: PropertyTable
}

export interface Exchange {
  readonly edge: EdgeContext
  readonly request: HttpRequest
  readonly reply: HttpReply
  readonly startedMs: number
  /** The edge that asks; null: a client does. */
  peer: PeerClaims | null
  property: Property | null
  /** Normalised path, without property prefix and query. */
  path: string
  readonly access: AccessState
  /** Of a property with limits: what this request counts against. */
  limited: Limited | null
  target: KeyedRequest | null
  meta: ObjectMeta | null
  /** The pull that the body comes from, when this exchange started or joined one. */
  pull: Pull | null
  cache: CacheStatus
  error: EdgewardError | null
  /** Fields of the refusal, such as Allow. */
  refusal: FieldPairs
  /** Further fields of the reply, such as Set-Cookie. */
  readonly extra: string[]
  /** The object changed while this was answered; it is looked up anew once. */
  restarted: boolean
  /** The answer is the upstream's own: conditions and ranges were its business. */
  passed: boolean
  /** Of a playlist: what this client is sent. */
  form: PlaylistForm | null
  /** Is called a playlist, but is none that is read here. */
  unread: boolean
}

export function createExchange(edge: EdgeContext, transaction: Transaction): Exchange {
  return {
    edge,
    request: transaction.request,
    reply: transaction.reply,
    startedMs: edge.clock.monotonic(),
    peer: null,
    property: null,
    path: '',
    access: noAccess(),
    limited: null,
    target: null,
    meta: null,
    pull: null,
    cache: {
      outcome: 'denied',
      forward: null,
      forwardStatus: null,
      stored: false,
      collapsed: false,
      ttl: null,
      detail: null,
    },
    error: null,
    refusal: [],
    extra: [],
    restarted: false,
    passed: false,
    form: null,
    unread: false,
  }
}
