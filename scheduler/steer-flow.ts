// The whole life of a steering decision, in one table. Synchronous, from the snapshot alone: no step waits,
// reads a file or asks anybody. A step takes the exchange and names the next one.
import assert from 'node:assert/strict'
import { denialOf, targetOnEdge } from './access.ts'
import type { JudgedToken } from './access.ts'
import { answerDenial, answerRedirect, answerRefusal } from './answer/answers.ts'
import type { SteerAnswer } from './answer/answers.ts'
import { findFitSite, sitesInOrder } from './choose/candidates.ts'
import { bestClaim, hash64, scoreOf } from './choose/rendezvous.ts'
import type { SteerExchange } from './exchange.ts'
import { locate } from './locate/locate.ts'
import { assetKeyOf, avoidedEdgeOf, clientOfQuery, readQuery } from './query.ts'
import type { SteerQuery } from './query.ts'
import type { Snapshot } from './snapshot.ts'

export type Step = 'query' | 'locate' | 'access' | 'candidates' | 'filter' | 'score' | 'choose' | 'answer'

const STEPS: Record<Step, (exchange: SteerExchange) => Step | 'done'> = {
  query: findProperty,
  locate: locateClient,
  access: judgeAccess,
  candidates: orderSites,
  filter: keepFitEdges,
  score: scoreCandidates,
  choose: chooseEdge,
  answer: writeAnswer,
}

export interface Steered extends SteerExchange {
  answer: SteerAnswer
}

/** `token` was judged before, by `judgeToken`; null when the property asks for none. */
export function steer(
  query: SteerQuery,
  snapshot: Snapshot,
  nowMs: number,
  token: JudgedToken | null = null,
): Steered {
  const exchange: SteerExchange = {
    query,
    snapshot,
    nowMs,
    property: undefined,
    token,
    target: '',
    path: '',
    client: undefined,
    location: undefined,
    sites: [],
    fit: undefined,
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
  const { outcome, property, target, path } = readQuery(exchange.query, exchange.snapshot.topology.properties)
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

function orderSites(exchange: SteerExchange): Step {
  exchange.sites = sitesInOrder(exchange.location?.sites ?? [])
  return 'filter'
}

function keepFitEdges(exchange: SteerExchange): Step {
  const avoided = avoidedEdgeOf(exchange.query.search)
  exchange.fit = findFitSite(exchange.sites, exchange.snapshot, exchange.nowMs, avoided)
  if (exchange.fit !== undefined) return 'score'
  exchange.outcome = 'no-edge'
  return 'answer'
}

function scoreCandidates(exchange: SteerExchange): Step {
  const { property, path, fit } = exchange
  assert(property !== undefined && fit !== undefined)
  const key = hash64(assetKeyOf(property, path))
  for (const candidate of fit.candidates) {
    candidate.score = scoreOf(key, candidate.edge.hash, candidate.weight)
  }
  return 'choose'
}

function chooseEdge(exchange: SteerExchange): Step {
  exchange.chosen = bestClaim(exchange.fit?.candidates ?? [])
  assert(exchange.chosen !== undefined, 'a fit site has candidates')
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
