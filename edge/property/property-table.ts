// The properties this edge serves, ready to be asked: built aside from a configuration, then swapped in whole.
import { compileAccess } from '../../src/access/property-access.ts'
import type { PropertyAccess } from '../../src/access/property-access.ts'
import { TAINTED, corsFields } from '../../src/http/cors.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import { compilePathPattern } from '../../src/path-pattern.ts'
import { buildPropertyIndex, splitPrefix } from '../../src/property-index.ts'
import type { PropertyIndex } from '../../src/property-index.ts'
import type { EdgeConfig, WireProperty } from '../../src/wire/edge-config.ts'
import { announcementOf } from '../playlist/announce-steering.ts'
import type { SteeringAnnouncement } from '../playlist/announce-steering.ts'
import { compilePlaylists } from '../playlist/property-playlists.ts'
import type { PropertyPlaylists } from '../playlist/property-playlists.ts'
import { compileLimits } from '../limits/compile-limits.ts'
import type { CompiledLimits } from '../limits/compile-limits.ts'
import type { PullRule } from '../fill/response-meta.ts'
import { originsOf } from '../upstream/origin.ts'
import type { UpstreamOrigin } from '../upstream/origin.ts'
import type { PropertyChain } from '../upstream/property-chain.ts'

export interface Property {
  readonly id: string
  readonly hosts: readonly string[]
  readonly chain: PropertyChain
  readonly methods: readonly string[]
  readonly playlists: PropertyPlaylists
  readonly access: PropertyAccess
  /** null: nothing is limited or followed. */
  readonly limits: CompiledLimits | null
  readonly callback: WireProperty['callback']
  readonly events: WireProperty['events']
  /** Freshness rules for a path. */
  ruleFor(path: string): PullRule
  /** Fields for a page of this Origin. */
  cors(origin: string | undefined): FieldBlock
}

export interface PropertyTable {
  /** Of the configuration it was built from. */
  readonly version: string
  /** Where players resolve; null: not known. */
  readonly steeringUrl: string | null
  readonly index: PropertyIndex<Property>
  /** Of all properties. */
  readonly origins: readonly UpstreamOrigin[]
  /** Whose bit rates the scheduler wants to know. */
  readonly reported: readonly string[]
}

export const EMPTY_TABLE: PropertyTable = {
  version: '',
  steeringUrl: null,
  index: buildPropertyIndex([]),
  origins: [],
  reported: [],
}

/** `edgeId`: of the edge that serves them. */
export function buildPropertyTable(config: EdgeConfig, edgeId: string): PropertyTable {
  const { propertyLabels } = config
  const build = (property: WireProperty) =>
    buildProperty(property, originsOf(property, config.origins), announcementOf(property, config, edgeId))
  const properties = config.properties.map(build)
  const index = buildPropertyIndex(properties, propertyLabels)
  const reported = config.properties.filter(({ reportBitRate }) => reportBitRate === true)
  return {
    version: config.version,
    steeringUrl: config.steeringUrl,
    index,
    origins: properties.flatMap(({ chain }) => chain.origins),
    reported: reported.map(({ id }) => id),
  }
}

export type PropertyMatch =
  | { found: Property; path: string }
  | { found: null; why: 'unknown_host' | 'unknown_property'; name: string }

/** By the `/~id/` prefix of the target, else by Host. */
export function matchProperty(table: PropertyTable, host: string, target: string): PropertyMatch {
  const prefixed = splitPrefix(target)
  if (prefixed.propertyId !== undefined) {
    const found = table.index.findById(prefixed.propertyId)
    if (found === undefined) return { found: null, why: 'unknown_property', name: prefixed.propertyId }
    return { found, path: prefixed.path }
  }
  const found = table.index.findByHost(host)
  return found === undefined ? { found: null, why: 'unknown_host', name: host } : { found, path: target }
}

function buildProperty(
  settings: WireProperty,
  origins: readonly UpstreamOrigin[],
  announcement: SteeringAnnouncement | null,
): Property {
  const ownCors = settings.cors.origins.length > 0
  const access = compileAccess(settings, settings.access)
  const base: PullRule = {
    overrideMs: undefined,
    defaultMs: settings.cache.defaultTtlMs,
    staleIfErrorMs: settings.cache.staleIfErrorMs,
    setCookie: settings.cache.setCookie,
    ownCors,
    memoryOnly: false,
    withoutTokens: access.tokens?.withoutTokens,
    forwards: forwarding(settings.forward, ownCors),
  }
  // Made once: a request finds its rule and allocates nothing.
  const rules = settings.cache.rules.map((rule) => ({
    matches: compilePathPattern(rule.match),
    pull: { ...base, overrideMs: rule.ttlMs },
  }))
  const ruleFor = (path: string) => rules.find((rule) => rule.matches(path))?.pull ?? base
  return {
    id: settings.id,
    hosts: settings.hosts,
    chain: {
      property: settings.id,
      origins,
      choice: settings.originChoice,
      failover: settings.failover,
    },
    methods: settings.methods,
    playlists: compilePlaylists(settings, origins, announcement),
    access,
    limits: compileLimits(settings.limits, asksForSessions(settings)),
    callback: settings.callback,
    events: settings.events,
    // Keys are few: theirs alone is made for each request.
    ruleFor: (path) => (access.isKey(path) ? { ...ruleFor(path), memoryOnly: true } : ruleFor(path)),
    cors: corsBlocks(settings.cors.origins, settings.access.tokens?.carry === 'cookie'),
  }
}

/** Somebody is told of each session, or asked for it. */
function asksForSessions({ callback, events }: WireProperty): boolean {
  return callback !== undefined || (events?.kinds.some((kind) => kind !== 'denials') ?? false)
}

/** Never: the encoding, which is always identity, and Origin where the edge speaks CORS itself. */
function forwarding(forward: WireProperty['forward'], ownCors: boolean): PullRule['forwards'] {
  const never = new Set(ownCors ? ['accept-encoding', 'origin'] : ['accept-encoding'])
  if (forward === 'all') return (name) => !never.has(name)
  // Where the origin speaks CORS, it must know whom to.
  const named = new Set([...forward, 'origin'])
  return (name) => named.has(name) && !never.has(name)
}

/** Each of the few answers serialised once. */
function corsBlocks(allowed: readonly string[], credentials: boolean): Property['cors'] {
  const named = new Map(
    [...allowed, TAINTED].map((origin) => [origin, new FieldBlock(corsFields(allowed, origin, credentials))]),
  )
  const others = new FieldBlock(corsFields(allowed, undefined, credentials))
  return (origin) => (origin === undefined ? undefined : named.get(origin)) ?? others
}
