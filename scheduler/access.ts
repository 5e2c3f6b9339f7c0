// Who may be steered at all, judged by the rules and tokens of the property as its edges judge it: a client that they
// would refuse is refused here, early.
import type { Presented, TokenJudgement } from '../src/access/token-gate.ts'
import { CarriedGrants } from '../src/access/carried-grants.ts'
import { isAtTop } from '../src/access/grant.ts'
import { GRANT_SEGMENT } from '../src/access/grant-carrier.ts'
import { judgeRules } from '../src/access/judge-rules.ts'
import { whereaboutsOf } from '../src/geo/whereabouts.ts'
import { normalisePath } from '../src/http/normal-path.ts'
import { formatIp } from '../src/net/ip.ts'
import type { IpAddress } from '../src/net/ip.ts'
import type { TokenQuery } from '../src/token/token.ts'
import type { SteerExchange } from './exchange.ts'
import { clientOfQuery, withoutAvoided } from './query.ts'
import type { Asked, SteerQuery } from './query.ts'
import type { Snapshot } from './snapshot.ts'

/** A request's token, judged before it is steered: only a scheme that must wait for its check keeps it waiting. */
export interface JudgedToken {
  readonly presented: Presented
  readonly judgement: TokenJudgement
}

export interface SteerDenial {
  /** The word of the rule or token that refused. */
  readonly reason: string
  readonly status: number
}

/** null: there is nothing to judge. */
export function judgeToken(
  { query, outcome, property, presented }: Asked,
  snapshot: Snapshot,
): JudgedToken | null | Promise<JudgedToken> {
  const tokens = property?.access.tokens ?? null
  if (outcome !== undefined || tokens === null || presented === null) return null
  const judgement = tokens.gate.judge(presented, tokenQueryOf(query, snapshot, presented.grant.target))
  return judgement instanceof Promise
    ? judgement.then((late) => ({ presented, judgement: late }))
    : { presented, judgement }
}

/** null: it may be steered. */
export function denialOf({
  query,
  property,
  path,
  client,
  token,
  snapshot,
}: SteerExchange): SteerDenial | null {
  if (property === undefined) return null
  const { rules } = property.access
  const denial =
    rules === null
      ? null
      : judgeRules(rules, {
          address: client,
          method: query.method,
          path: normalisePath(path) ?? path,
          nowMs: query.atMs,
          header: query.header,
          ...whereaboutsOf(snapshot.places, client),
        })
  if (denial !== null) return denial
  if (token === null || token.judgement.refusal === null) return null
  return { reason: token.judgement.refusal, status: token.judgement.status }
}

/**
 * The target on the edge. Of a playlist whose property carries grants in paths it is below its grant, so that the
 * edge need not redirect once more; of anything else it is as it came.
 */
export function targetOnEdge({ query, property, path, target, token, client }: SteerExchange): string {
  const tokens = property?.access.tokens ?? null
  const admission = token?.judgement.admitted ?? null
  if (tokens?.carry !== 'path' || admission === null || token === null) return target
  if (admission.grant?.by === 'path' || !/\.m3u8?$/i.test(path)) return target
  const normalised = normalisePath(path)
  if (normalised === null || isAtTop(normalised)) return target
  const holder = { path: normalised, address: textOf(client), session: null }
  const grants = new CarriedGrants(tokens.grants, admission, holder, query.atMs, tokens.sessionMs)
  const directory = normalised.slice(0, normalised.lastIndexOf('/') + 1)
  const question = token.presented.target.indexOf('?')
  const search = question < 0 ? '' : token.presented.target.slice(question)
  return `${GRANT_SEGMENT}${grants.textFor({ directory })}${normalised}${search}`
}

/** The target at another CDN: as the client asked, with its token and without what is Edgeward's own. */
export function targetElsewhere({ target, token }: SteerExchange): string {
  return withoutAvoided(token === null ? target : token.presented.grant.target)
}

function tokenQueryOf(query: SteerQuery, snapshot: Snapshot, target: string): TokenQuery {
  return {
    target,
    scheme: query.secure ? 'https' : 'http',
    host: query.host,
    method: query.method,
    get address() {
      return textOf(clientOfQuery(query, snapshot))
    },
    nowMs: query.atMs,
    header: query.header,
  }
}

function textOf(client: IpAddress | undefined): string {
  return client === undefined ? '' : formatIp(client)
}
