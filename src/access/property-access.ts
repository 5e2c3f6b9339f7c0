// Who may have a property's content, compiled once a configuration for either daemon.
import type { AccessSettings } from '../config/access-schema.ts'
import type { TokenSettings } from '../config/token-schema.ts'
import { compilePathPattern } from '../path-pattern.ts'
import type { PathMatcher } from '../path-pattern.ts'
import type { Hosted } from '../property-index.ts'
import { createScheme } from './create-scheme.ts'
import { GrantKeys } from './grant.ts'
import { compileAccessRules } from './judge-rules.ts'
import type { AccessRules } from './judge-rules.ts'
import { inEveryReading, isVeiled, originReadings } from './origin-reading.ts'
import { withoutTokens } from './token-fields.ts'
import type { WithoutTokens } from './token-fields.ts'
import { TokenGate } from './token-gate.ts'

export interface PropertyTokens {
  readonly gate: TokenGate
  /** For what goes upstream. */
  readonly withoutTokens: WithoutTokens
  readonly grants: GrantKeys
  readonly carry: TokenSettings['carry']
  readonly sessionMs: number
  /** Of its cookies. */
  readonly cookie: { readonly secure: boolean; readonly sameSite: TokenSettings['cookie']['sameSite'] }
}

export interface PropertyAccess {
  /** null: anyone. */
  readonly rules: AccessRules | null
  /** null: none is asked for. */
  readonly tokens: PropertyTokens | null
  /** A key of HLS: for those with a token only, and never on disk. */
  isKey: PathMatcher
}

/** Throws an Error for settings that cannot work. */
export function compileAccess(property: Hosted, settings: AccessSettings): PropertyAccess {
  const isKey = keyMatcher(settings.keys?.match ?? [])
  return {
    rules: compileAccessRules(settings),
    tokens: settings.tokens === undefined ? null : compileTokens(property, settings.tokens, isKey),
    isKey,
  }
}

function compileTokens(property: Hosted, settings: TokenSettings, isKey: PathMatcher): PropertyTokens {
  const grants = new GrantKeys(property.id, grantSecrets(settings))
  const isExcepted = anyOf(settings.except)
  const scheme = createScheme(settings, property.hosts)
  const gate = new TokenGate({
    propertyId: property.id,
    scheme,
    grants,
    skewMs: settings.skew,
    isFree: (path) => inEveryReading(isExcepted, path) && !isKey(path),
  })
  return {
    gate,
    withoutTokens: withoutTokens(property.id, scheme),
    grants,
    carry: grants.none ? 'none' : settings.carry,
    sessionMs: settings.session,
    cookie: settings.cookie,
  }
}

/** Every edge and scheduler derives the same; a scheme of public keys has nothing to derive from. */
export function grantSecrets(settings: TokenSettings): readonly string[] {
  if (settings.grantKeys.length > 0) return settings.grantKeys
  return settings.keys.flatMap((key) =>
    typeof key === 'string' ? [key] : key.secret === undefined ? [] : [key.secret],
  )
}

/** What an origin may take for a key, in capitals or not, with slashes behind it or not. */
function keyMatcher(patterns: readonly string[]): PathMatcher {
  if (patterns.length === 0) return () => false
  const isOne = anyOf(patterns)
  const isOneInLowerCase = anyOf(patterns.map((pattern) => pattern.toLowerCase()))
  const mayBe = (path: string) => isOneInLowerCase(withoutSlashesBehind(path).toLowerCase())
  return (path) => isOne(path) || isVeiled(path) || mayBe(path) || originReadings(path).some(mayBe)
}

function withoutSlashesBehind(path: string): string {
  let end = path.length
  while (path[end - 1] === '/') end -= 1
  return path.slice(0, end)
}

function anyOf(patterns: readonly string[]): PathMatcher {
  const matchers = patterns.map(compilePathPattern)
  return (path) => matchers.some((matches) => matches(path))
}
