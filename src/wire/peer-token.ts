// How an edge proves to another that it is one: `Edgeward-Peer: 1;SECRET;FROM;TIER;EXPIRY;EVENT;MAC`, of one request to
// one edge, good for a minute. The secrets come from the scheduler (guidance.ts).
import { createHmac } from 'node:crypto'
import { matchesAny } from '../token/constant-time.ts'
import { PEER_TIERS } from './guidance.ts'
import type { PeerSecret, PeerTier } from './guidance.ts'

export const PEER_FIELD = 'Edgeward-Peer'

/** A request that is made now is judged now; the rest is for clocks. */
const TOKEN_LIFE_S = 60
/** How far the clocks of two edges, and of an edge and the scheduler, may be apart. */
const CLOCK_SKEW_MS = 120_000
const FIELD_CHARS_MAX = 512

export interface PeerRequest {
  /** Of the edge that is asked. */
  readonly to: string
  readonly method: string
  /** Origin-form, as it is on the wire. */
  readonly target: string
}

export interface PeerClaims {
  readonly from: string
  /** As what the asked edge is asked: it asks only further up itself. */
  readonly tier: PeerTier
  /** The last event that the asking edge has applied: what is older than it must not be answered. */
  readonly event: string
}

export type PeerRefusal =
  | 'malformed'
  | 'unknown-secret'
  | 'secret-expired'
  | 'expired'
  | 'from-the-future'
  | 'bad-mac'

export type PeerJudgement =
  | { readonly claims: PeerClaims; readonly refusal: null }
  | { readonly refusal: PeerRefusal }

/** null when no secret is good now: other edges cannot be asked. */
export function makePeerToken(
  secrets: readonly PeerSecret[],
  claims: PeerClaims,
  request: PeerRequest,
  nowMs: number,
): string | null {
  const secret = secrets.find(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs)
  if (secret === undefined) return null
  const expiry = Math.floor(nowMs / 1000) + TOKEN_LIFE_S
  const said = `1;${secret.id};${claims.from};${claims.tier};${expiry};${claims.event}`
  return `${said};${macOf(secret, said, request)}`
}

export function judgePeerToken(
  secrets: readonly PeerSecret[],
  field: string,
  request: PeerRequest,
  nowMs: number,
): PeerJudgement {
  const parts = field.length > FIELD_CHARS_MAX ? [] : field.split(';')
  const [version, secretId, from, tierText, expiryText, event, mac] = parts
  const tier = PEER_TIERS.find((kind) => kind === tierText)
  const wellFormed =
    parts.length === 7 && version === '1' && tier !== undefined && /^\d{1,12}$/.test(expiryText ?? '')
  if (!wellFormed || from === undefined || event === undefined || mac === undefined)
    return { refusal: 'malformed' }
  const secret = secrets.find(({ id }) => id === secretId)
  if (secret === undefined) return { refusal: 'unknown-secret' }
  const said = field.slice(0, field.length - mac.length - 1)
  if (!matchesAny(mac, [secret], (known) => macOf(known, said, request))) return { refusal: 'bad-mac' }
  const expiryMs = Number(expiryText) * 1000
  if (nowMs >= secret.untilMs + CLOCK_SKEW_MS) return { refusal: 'secret-expired' }
  if (nowMs >= expiryMs + CLOCK_SKEW_MS) return { refusal: 'expired' }
  if (expiryMs > nowMs + TOKEN_LIFE_S * 1000 + CLOCK_SKEW_MS || nowMs < secret.fromMs - CLOCK_SKEW_MS)
    return { refusal: 'from-the-future' }
  return { claims: { from, tier, event }, refusal: null }
}

/** Ends of line cannot be in any of the parts. */
function macOf(secret: PeerSecret, said: string, { to, method, target }: PeerRequest): string {
  return createHmac('sha256', Buffer.from(secret.key, 'base64url'))
    .update(`${said}\n${to}\n${method}\n${target}`)
    .digest('base64url')
}
