// Purges over the admin listener: POST /api/v1/purges tells every edge, GET /api/v1/purges/:id which have
// applied it, GET /api/v1/purges the latest.
import type { FastifyInstance } from 'fastify'
import { Counter } from 'prom-client'
import type { Registry as PromRegistry } from 'prom-client'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import type { ClusterEvent, Purge } from '../../src/wire/events.ts'
import { purgeRequestSchema } from '../../src/wire/purge.ts'
import type { PurgeList, PurgeReply, PurgeRequest, PurgeStatus } from '../../src/wire/purge.ts'
import { readContentUrl } from '../content-url.ts'
import { NotAppendedError } from '../events/event-log.ts'
import type { EventLog, NotAppended } from '../events/event-log.ts'
import { stateOf } from '../health/liveness.ts'
import { PURGES_LISTED_MAX } from '../limits.ts'
import type { SnapshotSource } from '../snapshot.ts'
import type { Topology } from '../topology.ts'
import { refuse, refuseStrangers } from '../../src/own-machine.ts'

export interface PurgeDeps {
  readonly promRegistry: PromRegistry
  readonly events: EventLog
  readonly snapshots: SnapshotSource
  readonly clock: Clock
  readonly log: Logger
}

interface PurgeRoute {
  Params: { id: string }
}

const WORDS =
  'purge: needs one of url, prefix, property with wildcard, property with tag, property, or all: true; and soft, if so wanted'

export function addPurgeRoutes(service: FastifyInstance, deps: PurgeDeps): void {
  const { promRegistry, events, snapshots, clock, log } = deps
  const purges = new Counter({
    name: 'edgeward_scheduler_purges_total',
    help: 'Purges asked of this scheduler, by scope and mode.',
    labelNames: ['scope', 'mode'] as const,
    registers: [promRegistry],
  })
  service.post('/api/v1/purges', { onRequest: refuseStrangers }, async (request, reply) => {
    const parsed = purgeRequestSchema.safeParse(request.body)
    if (!parsed.success) return refuse(reply, 400, 'purge', WORDS)
    const read = readPurge(parsed.data, snapshots.current.topology)
    if ('problem' in read) return refuse(reply, 400, 'purge', read.problem)
    const appended = await appendPurge(events, read.purge)
    if ('outcome' in appended) return refuse(reply, 503, appended.outcome, wordsOf(appended))
    const { id } = appended
    purges.inc({ scope: read.purge.scope, mode: read.purge.soft ? 'soft' : 'hard' })
    log.info({ id, purge: read.purge }, 'purged')
    return { id, purge: read.purge } satisfies PurgeReply
  })
  service.get('/api/v1/purges', async () => {
    const { edges } = snapshots.current.topology
    const listed = events.purges(PURGES_LISTED_MAX).map(({ id, atMs, purge }) => {
      const acknowledged = events.acknowledgements(id)
      const applied = edges.filter((edge) => acknowledged.has(edge.id)).length
      return { id, atMs, purge, applied, edges: edges.length }
    })
    return { purges: listed } satisfies PurgeList
  })
  service.get<PurgeRoute>('/api/v1/purges/:id', async (request, reply) => {
    const event = events.find(request.params.id)
    if (event?.kind !== 'purge') return refuse(reply, 404, 'unknown-purge', 'no purge of that id is kept')
    const { topology, reports, health } = snapshots.current
    const acknowledged = events.acknowledgements(event.id)
    const edges = topology.edges.map(({ id, index }) => {
      const atMs = acknowledged.get(id)
      const state = stateOf(reports[index], clock.monotonic(), health[index])
      return { id, state, tookMs: atMs === undefined ? null : Math.max(0, Math.round(atMs - event.atMs)) }
    })
    const { id, atMs, purge } = event
    return { id, atMs, purge, edges } satisfies PurgeStatus
  })
}

/** A store that is away is expected at times: the operator hears whether edges will hear of the purge. */
async function appendPurge(events: EventLog, purge: Purge): Promise<ClusterEvent | NotAppendedError> {
  try {
    return await events.append({ kind: 'purge', purge })
  } catch (error) {
    if (error instanceof NotAppendedError) return error
    throw error
  }
}

const NOT_APPENDED: Record<NotAppended, string> = {
  refused: 'the purge was not taken; ask for it again',
  unanswered: 'the purge was not taken for sure: edges may hear of it or not; ask for it again',
}

function wordsOf({ outcome, message }: NotAppendedError): string {
  return `${NOT_APPENDED[outcome]} (${message})`
}

type Read = { readonly purge: Purge } | { readonly problem: string }

function readPurge(request: PurgeRequest, topology: Topology): Read {
  const { soft } = request
  if ('all' in request) return { purge: { property: null, scope: 'all', value: '', soft } }
  if ('url' in request) return readUrl('url', request.url, soft, topology)
  if ('prefix' in request) return readUrl('prefix', request.prefix, soft, topology)
  const { property } = request
  if (topology.properties.findById(property) === undefined) {
    return { problem: `property: no property of this cluster has the id "${property}"` }
  }
  if ('wildcard' in request) return { purge: { property, scope: 'wildcard', value: request.wildcard, soft } }
  if ('tag' in request) return { purge: { property, scope: 'tag', value: request.tag, soft } }
  return { purge: { property, scope: 'property', value: '', soft } }
}

function readUrl(scope: 'url' | 'prefix', text: string, soft: boolean, { properties }: Topology): Read {
  const read = readContentUrl(text, properties)
  if ('problem' in read) return { problem: `${scope}: ${read.problem}` }
  const { property, path, search } = read
  if (scope === 'prefix' && search !== '') return { problem: 'prefix: must be without a query' }
  return { purge: { property: property.id, scope, value: path + (scope === 'url' ? search : ''), soft } }
}
