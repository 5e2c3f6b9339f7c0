// How an edge proves to another that it is one: `Edgeward-Peer: 1;SECRET;FROM;TIER;EXPIRY;EVENT;MAC`, of one request to
// one edge, good for a minute. The secrets come from the scheduler (guidance.ts). Answers have fields of their own.
import { createHmac } from 'node:crypto'
import { matchesAny } from '../token/constant-time.ts'
import { eventIdSchema } from './events.ts'
import { PEER_TIERS } from './guidance.ts'
import type { PeerSecret, PeerTier } from './guidance.ts'

/** Of a request: the token. Of an answer: the edge's own refusal, by its code; answers of an origin never have it. */
export const PEER_FIELD = 'Edgeward-Peer'

/** Of an answer to an edge: `AGE;TOOK` in milliseconds, and `;stale` where it stands in for something newer. */
export const PEER_AGE_FIELD = 'Edgeward-Age'

/** A request that is made now is judged now; the rest is for clocks. */
const TOKEN_LIFE_S = 60
/** How far the clocks of two edges, and of an edge and the scheduler, may be apart. */
const CLOCK_SKEW_MS = 120_000
const FIELD_CHARS_MAX = 512
/** As the configuration takes them: it goes into logs. */
const EDGE_ID = /^[a-z0-9._-]{1,64}$/

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
  /** The last event that the asking edge has applied: what is older than it must not be answered. '': none yet. */
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

/** `field`: as it came, of several lines joined. What is not signed is not told apart: the reason is for the log. */
export function judgePeerToken(
  secrets: readonly PeerSecret[],
  field: string,
  request: PeerRequest,
  nowMs: number,
): PeerJudgement {
  const token = parse(field)
  if (token === null) return { refusal: 'malformed' }
  const secret = secrets.find(({ id }) => id === token.secretId)
  if (secret === undefined) return { refusal: 'unknown-secret' }
  if (!matchesAny(token.mac, [secret], (known) => macOf(known, token.said, request)))
    return { refusal: 'bad-mac' }
  const { claims, expiryMs } = token
  if (nowMs >= secret.untilMs + CLOCK_SKEW_MS) return { refusal: 'secret-expired' }
  if (nowMs >= expiryMs + CLOCK_SKEW_MS) return { refusal: 'expired' }
  if (expiryMs > nowMs + TOKEN_LIFE_S * 1000 + CLOCK_SKEW_MS || nowMs < secret.fromMs - CLOCK_SKEW_MS)
    return { refusal: 'from-the-future' }
  return { claims, refusal: null }
}

interface ParsedToken {
  readonly secretId: string
  readonly claims: PeerClaims
  readonly expiryMs: number
  /** What the mac is of, with the request. */
  readonly said: string
  readonly mac: string
}

function parse(field: string): ParsedToken | null {
  if (field.length > FIELD_CHARS_MAX) return null
  const parts = field.split(';')
  const [version, secretId, from, kind, expiry, event, mac] = parts
  const tier = PEER_TIERS.find((known) => known === kind)
  if (parts.length !== 7 || version !== '1' || tier === undefined) return null
  if (secretId === undefined || expiry === undefined || event === undefined || mac === undefined) return null
  if (from === undefined || !EDGE_ID.test(from) || !/^\d{1,12}$/.test(expiry)) return null
  if (event !== '' && !eventIdSchema.safeParse(event).success) return null
  const said = field.slice(0, field.length - mac.length - 1)
  return { secretId, claims: { from, tier, event }, expiryMs: Number(expiry) * 1000, said, mac }
}

/** Ends of line cannot be in any of the parts. */
function macOf(secret: PeerSecret, said: string, { to, method, target }: PeerRequest): string {
  return createHmac('sha256', Buffer.from(secret.key, 'base64url'))
    .update(`${said}\n${to}\n${method}\n${target}`)
    .digest('base64url')
}
