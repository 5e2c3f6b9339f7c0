// Answers in JSON: lists of routes for clients that choose themselves, steering lists for players that play already
// (HLS Content Steering, RFC 8216bis §7.2), and refusals of either.
import { percentEncoded } from '../../src/http/percent.ts'
import { formatIp } from '../../src/net/ip.ts'
import type { SteerDenial } from '../access.ts'
import type { Pathways } from '../choose/pathways.ts'
import { hostnameOn, rootOn } from '../edge-address.ts'
import type { SteerExchange } from '../exchange.ts'
import { ROUTES_TTL_S } from '../limits.ts'
import type { SteeringParameters } from '../own-route.ts'
import type { SteerQuery } from '../query.ts'
import type { EdgeView, PropertyView } from '../topology.ts'
import { corsOf, encodeHighBytes } from './answers.ts'
import type { Outcome, SteerAnswer } from './answers.ts'

const JSON_TYPE = 'application/json'
const STEERING_TYPE = 'application/vnd.apple.steering-list'

/** `target` as on the edge; `overflow`: where the client goes instead, when the property is above its cap. */
export function answerRoutes(exchange: SteerExchange, target: string, overflow: string | null): SteerAnswer {
  const { query, property, client, location, routes } = exchange
  const list = {
    property: property?.id,
    client: {
      address: client === undefined ? null : formatIp(client),
      source: location?.source,
      site: location?.sites[0]?.id ?? exchange.snapshot.topology.defaultSite.id,
    },
    ttl: ROUTES_TTL_S,
    routes: routes.map(({ candidate, site }) => ({
      edge: candidate.id,
      site: site.site.id,
      url: property === undefined ? null : rootOn(candidate.edge, property) + encodeHighBytes(target),
      state: candidate.state,
      // A last resort says first why it is one.
      reason: candidate.doubt === 'none' ? candidate.reason : candidate.doubt,
      role: site.role,
      costMs: Math.round(site.costMs),
    })),
    ...(overflow === null ? {} : { overflow }),
  }
  return jsonAnswer(overflow === null ? 'routes' : 'overflow', 200, query, property, list)
}

export function answerSteeringList(
  query: SteerQuery,
  property: PropertyView,
  player: SteeringParameters,
  { base, edges }: Pathways,
): SteerAnswer {
  const pathwayOf = (edge: EdgeView) => (edge === base ? '.' : edge.id)
  const clones = edges.filter((edge) => edge !== base)
  const list = {
    VERSION: 1,
    TTL: Math.ceil((property.steeringTtlMs ?? 0) / 1000),
    // Beside the one that was asked for, whatever stands in front of it.
    'RELOAD-URI': `${property.id}?asset=${percentEncoded(player.asset)}&from=${percentEncoded(player.from)}`,
    // Where nothing else is within reach, the player may as well try on.
    'PATHWAY-PRIORITY': edges.length === 0 ? ['.'] : edges.map(pathwayOf),
    'PATHWAY-CLONES': clones.map((edge) => ({
      'BASE-ID': '.',
      ID: edge.id,
      'URI-REPLACEMENT': { HOST: hostnameOn(edge, property) },
    })),
  }
  return jsonAnswer('steering-list', 200, query, property, list, STEERING_TYPE)
}

/** The same refusal for programs: its word, and the text for people. */
export function inJson(answer: SteerAnswer, denial: SteerDenial | null): SteerAnswer {
  if (answer.body === '') return answer
  const { outcome, extra, body } = answer
  const refused = {
    error: outcome,
    ...(denial === null ? {} : { reason: denial.reason }),
    message: body.trimEnd(),
  }
  const fields = extra.map((text, i) => (extra[i - 1] === 'Content-Type' ? JSON_TYPE : text))
  return { ...answer, extra: fields, body: `${JSON.stringify(refused)}\n` }
}

function jsonAnswer(
  outcome: Outcome,
  status: number,
  query: SteerQuery,
  property: PropertyView | undefined,
  value: object,
  type = JSON_TYPE,
): SteerAnswer {
  const extra = ['Content-Type', type, 'X-Content-Type-Options', 'nosniff', ...corsOf(property, query)]
  return { outcome, status, extra, body: `${JSON.stringify(value)}\n` }
}
