// The whole life of a steering decision, in one table. Synchronous, from the snapshot alone: no step waits,
// reads a file or asks anybody. A step takes the exchange and names the next one.
import assert from 'node:assert/strict'
import { denialOf, targetElsewhere, targetOnEdge } from './access.ts'
import type { JudgedToken } from './access.ts'
import {
  answerDenial,
  answerOverflow,
  answerRedirect,
  answerRefusal,
  isRefusal,
  overflowLocation,
} from './answer/answers.ts'
import type { SteerAnswer } from './answer/answers.ts'
import { answerRoutes, answerSteeringList, inJson } from './answer/list-answers.ts'
import { NO_DEMAND } from './choose/demand.ts'
import type { Demand } from './choose/demand.ts'
import { edgeAtOnce } from './choose/edge-at-once.ts'
import { boundLoads, preferEdges } from './choose/edges.ts'
import { isOverflow, overflowShareOf } from './choose/overflow.ts'
import { pathwaysOf } from './choose/pathways.ts'
import { routesOf } from './choose/routes.ts'
import { siteAtOnce } from './choose/site-at-once.ts'
import { orderSites, weighSites } from './choose/sites.ts'
import type { SteerExchange } from './exchange.ts'
import { locate } from './locate/locate.ts'
import { assetHashOf, avoidedEdgeOf, clientOfQuery, readQuery } from './query.ts'
import type { Asked, SteerQuery } from './query.ts'
import type { Snapshot } from './snapshot.ts'

export type Step =
  | 'query'
  | 'locate'
  | 'access'
  | 'cap'
  | 'candidates'
  | 'filter'
  | 'score'
  | 'choose'
  | 'routes'
  | 'answer'

const STEPS: Record<Step, (exchange: SteerExchange) => Step | 'done'> = {
  query: findProperty,
  locate: locateClient,
  access: judgeAccess,
  cap: holdToCap,
  candidates: nameCandidates,
  filter: weighCandidates,
  score: scoreEdges,
  choose: chooseEdge,
  routes: listRoutes,
  answer: writeAnswer,
}

export interface Steered extends SteerExchange {
  answer: SteerAnswer
}

/**
 * `token` was judged before, by `judgeToken`; null when the property asks for none. `demand` is what this scheduler
 * has decided lately, `asked` the query as it was read for the token. `thorough`: for whoever reads the reasons.
 */
export function steer(
  query: SteerQuery,
  snapshot: Snapshot,
  nowMs: number,
  token: JudgedToken | null = null,
  demand: Demand = NO_DEMAND,
  asked: Asked = readQuery(query, snapshot.topology.properties),
  thorough = true,
): Steered {
  const exchange: SteerExchange = {
    query: asked.query,
    asked,
    snapshot,
    demand,
    thorough,
    nowMs,
    property: undefined,
    token,
    target: '',
    path: '',
    client: undefined,
    location: undefined,
    choice: undefined,
    order: undefined,
    weighing: undefined,
    ranked: [],
    chosen: undefined,
    site: undefined,
    routes: [],
    pathways: undefined,
    outcome: undefined,
    denial: null,
    answer: undefined,
  }
  let step: Step | 'done' = 'query'
  while (step !== 'done') step = STEPS[step](exchange)
  assert(isAnswered(exchange))
  return exchange
}

function isAnswered(exchange: SteerExchange): exchange is Steered {
  return exchange.answer !== undefined
}

function findProperty(exchange: SteerExchange): Step {
  const { outcome, property, target, path } = exchange.asked
  exchange.property = property
  exchange.target = target
  exchange.path = path
  exchange.outcome = outcome
  return outcome === undefined ? 'locate' : 'answer'
}

function locateClient(exchange: SteerExchange): Step {
  const { query, snapshot } = exchange
  exchange.client = clientOfQuery(query, snapshot)
  exchange.location = locate(exchange.client, snapshot)
  return 'access'
}

function judgeAccess(exchange: SteerExchange): Step {
  exchange.denial = denialOf(exchange)
  if (exchange.denial === null) return 'cap'
  exchange.outcome = 'denied'
  return 'answer'
}

function holdToCap(exchange: SteerExchange): Step {
  const { query, asked, snapshot, demand, nowMs, property, path, client } = exchange
  assert(property !== undefined)
  const key = assetHashOf(property, path)
  const avoided = avoidedEdgeOf(query.search)
  const family = client?.family
  exchange.choice = { snapshot, demand, nowMs, property, client, family, byAddress: false, key, avoided }
  const { overflow } = property
  // A player that asks for a steering list is here already.
  if (overflow === null || asked.form === 'steering-list') return 'candidates'
  const share = overflowShareOf(demand.propertyBitRate(property, nowMs), overflow.above)
  if (!isOverflow(share, key, client)) return 'candidates'
  exchange.outcome = 'overflow'
  return 'answer'
}

function nameCandidates(exchange: SteerExchange): Step {
  const { choice, location, thorough, asked } = exchange
  assert(choice !== undefined && location !== undefined)
  const site = thorough || asked.form !== 'redirect' ? undefined : siteAtOnce(location, choice)
  const edge = site === undefined ? undefined : edgeAtOnce(site, choice)
  if (edge !== undefined) {
    exchange.chosen = { id: edge.id, edge }
    exchange.site = site
    exchange.outcome = 'redirect'
    return 'answer'
  }
  exchange.order = orderSites(location, choice)
  return 'filter'
}

function weighCandidates(exchange: SteerExchange): Step {
  const { order, choice } = exchange
  assert(order !== undefined && choice !== undefined)
  exchange.weighing = weighSites(order, choice)
  if (exchange.weighing.chosen !== undefined) return 'score'
  // What takes no new client may keep this one.
  if (exchange.asked.form === 'steering-list') return 'routes'
  exchange.outcome = choice.property.overflow === null ? 'no-edge' : 'overflow'
  return 'answer'
}

function scoreEdges(exchange: SteerExchange): Step {
  const { choice, weighing, demand, nowMs } = exchange
  const best = weighing?.chosen
  assert(choice !== undefined && weighing !== undefined && best !== undefined)
  const { key, client } = choice
  exchange.ranked = preferEdges(weighing.fit.candidates, key, client, {
    rate: demand.assetRate(key, best.site, nowMs),
    bitRate: demand.assetBitRate(key, best.site, nowMs),
  })
  return 'choose'
}

function chooseEdge(exchange: SteerExchange): Step {
  exchange.ranked = boundLoads(exchange.ranked)
  exchange.chosen = exchange.ranked[0]
  exchange.site = exchange.weighing?.chosen?.site
  assert(exchange.chosen !== undefined, 'a chosen site has candidates')
  exchange.outcome = 'redirect'
  return exchange.asked.form === 'redirect' ? 'answer' : 'routes'
}

function listRoutes(exchange: SteerExchange): Step {
  const { asked, choice, order, weighing, ranked } = exchange
  assert(choice !== undefined && order !== undefined && weighing !== undefined)
  const first = { order, weighing, ranked }
  if (asked.player === null) {
    exchange.routes = routesOf(first, choice, { count: asked.count })
    exchange.outcome = 'routes'
    return 'answer'
  }
  const pathways = pathwaysOf(asked.player, first, choice)
  exchange.pathways = pathways
  exchange.chosen = pathways.best
  const canServe = pathways.edges.length > 0 || ranked.length > 0
  exchange.outcome = canServe ? 'steering-list' : 'no-edge'
  return 'answer'
}

function writeAnswer(exchange: SteerExchange): 'done' {
  exchange.answer = exchange.asked.form === 'redirect' ? redirectAnswer(exchange) : listAnswer(exchange)
  return 'done'
}

function redirectAnswer(exchange: SteerExchange): SteerAnswer {
  const { query, property, chosen, outcome } = exchange
  if (outcome === 'redirect') {
    assert(property !== undefined && chosen !== undefined)
    return answerRedirect(query, property, targetOnEdge(exchange), chosen.edge)
  }
  if (outcome === 'overflow') {
    assert(property !== undefined)
    return answerOverflow(query, property, targetElsewhere(exchange))
  }
  return refusalAnswer(exchange)
}

function listAnswer(exchange: SteerExchange): SteerAnswer {
  const { asked, query, property, pathways, outcome, denial } = exchange
  if (outcome === 'routes') return answerRoutes(exchange, targetOnEdge(exchange), null)
  if (outcome === 'overflow') {
    assert(property !== undefined)
    return answerRoutes(exchange, '', overflowLocation(property, targetElsewhere(exchange)))
  }
  if (outcome === 'steering-list') {
    assert(property !== undefined && pathways !== undefined && asked.player !== null)
    return answerSteeringList(query, property, asked.player, pathways)
  }
  return inJson(refusalAnswer(exchange), denial)
}

function refusalAnswer({ asked, query, property, outcome, denial }: SteerExchange): SteerAnswer {
  if (outcome === 'denied') {
    assert(denial !== null)
    return answerDenial(query, property, denial)
  }
  assert(outcome !== undefined && isRefusal(outcome))
  return answerRefusal(query, property, outcome, asked.problem)
}
