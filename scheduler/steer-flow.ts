// The whole life of a steering decision, in one table. Synchronous, from the snapshot alone: no step waits,
// reads a file or asks anybody. A step takes the exchange and names the next one.
import assert from 'node:assert/strict'
import { denialOf, targetOnEdge } from './access.ts'
import type { JudgedToken } from './access.ts'
import { answerDenial, answerRedirect, answerRefusal } from './answer/answers.ts'
import type { SteerAnswer } from './answer/answers.ts'
import { NO_DEMAND } from './choose/demand.ts'
import type { Demand } from './choose/demand.ts'
import { boundLoads, preferEdges } from './choose/edges.ts'
import { hash64 } from './choose/rendezvous.ts'
import { orderSites, weighSites } from './choose/sites.ts'
import type { SteerExchange } from './exchange.ts'
import { locate } from './locate/locate.ts'
import { assetKeyOf, avoidedEdgeOf, clientOfQuery, readQuery } from './query.ts'
import type { Asked, SteerQuery } from './query.ts'
import type { Snapshot } from './snapshot.ts'

export type Step = 'query' | 'locate' | 'access' | 'candidates' | 'filter' | 'score' | 'choose' | 'answer'

const STEPS: Record<Step, (exchange: SteerExchange) => Step | 'done'> = {
  query: findProperty,
  locate: locateClient,
  access: judgeAccess,
  candidates: nameCandidates,
  filter: weighCandidates,
  score: scoreEdges,
  choose: chooseEdge,
  answer: writeAnswer,
}

export interface Steered extends SteerExchange {
  answer: SteerAnswer
}

/**
 * `token` was judged before, by `judgeToken`; null when the property asks for none. `demand` is what this scheduler
 * has decided lately, `asked` the query as it was read for the token.
 */
export function steer(
  query: SteerQuery,
  snapshot: Snapshot,
  nowMs: number,
  token: JudgedToken | null = null,
  demand: Demand = NO_DEMAND,
  asked: Asked = readQuery(query, snapshot.topology.properties),
): Steered {
  const exchange: SteerExchange = {
    query,
    asked,
    snapshot,
    demand,
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
  if (exchange.denial === null) return 'candidates'
  exchange.outcome = 'denied'
  return 'answer'
}

function nameCandidates(exchange: SteerExchange): Step {
  const { query, snapshot, demand, nowMs, property, path, client, location } = exchange
  assert(property !== undefined && location !== undefined)
  const key = hash64(assetKeyOf(property, path))
  const avoided = avoidedEdgeOf(query.search)
  exchange.choice = { snapshot, demand, nowMs, property, client, key, avoided }
  exchange.order = orderSites(location, exchange.choice)
  return 'filter'
}

function weighCandidates(exchange: SteerExchange): Step {
  const { order, choice } = exchange
  assert(order !== undefined && choice !== undefined)
  exchange.weighing = weighSites(order, choice)
  if (exchange.weighing.chosen !== undefined) return 'score'
  exchange.outcome = 'no-edge'
  return 'answer'
}

function scoreEdges(exchange: SteerExchange): Step {
  const { choice, weighing, demand, nowMs } = exchange
  const best = weighing?.chosen
  assert(choice !== undefined && weighing !== undefined && best !== undefined)
  const { key, client } = choice
  exchange.ranked = preferEdges(weighing.fit.candidates, key, client, demand.assetRate(key, best.site, nowMs))
  return 'choose'
}

function chooseEdge(exchange: SteerExchange): Step {
  exchange.ranked = boundLoads(exchange.ranked)
  exchange.chosen = exchange.ranked[0]
  assert(exchange.chosen !== undefined, 'a chosen site has candidates')
  exchange.outcome = 'redirect'
  return 'answer'
}

function writeAnswer(exchange: SteerExchange): 'done' {
  const { query, property, chosen, outcome, denial } = exchange
  assert(outcome !== undefined)
  if (outcome === 'redirect') {
    assert(property !== undefined && chosen !== undefined)
    exchange.answer = answerRedirect(query, property, targetOnEdge(exchange), chosen.edge)
  } else if (outcome === 'denied') {
    assert(denial !== null)
    exchange.answer = answerDenial(query, property, denial)
  } else {
    exchange.answer = answerRefusal(query, property, outcome)
  }
  return 'done'
}
