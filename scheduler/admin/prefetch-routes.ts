// Prefetches over the admin listener: POST /api/v1/prefetches takes a list of URLs as it comes in, GET says how far they
// are, DELETE cancels one.
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Counter } from 'prom-client'
import type { Registry as PromRegistry } from 'prom-client'
import type { Clock } from '../../src/clock.ts'
import { refuse, refuseStrangers } from '../../src/own-machine.ts'
import type { PrefetchList, PrefetchReply, PrefetchStatus } from '../../src/wire/prefetch.ts'
import { NotAppendedError } from '../events/event-log.ts'
import { stateOf as edgeStateOf } from '../health/liveness.ts'
import { PREFETCHES_MAX, PREFETCH_LISTS_AT_ONCE } from '../limits.ts'
import { LineError, listLines } from '../prefetch/list-lines.ts'
import { countsOf, stateOf } from '../prefetch/prefetch-job.ts'
import type { EdgeStanding, PrefetchJob } from '../prefetch/prefetch-job.ts'
import { StoreAwayError } from '../prefetch/prefetch-store.ts'
import type { NotBegun, Prefetches } from '../prefetch/prefetches.ts'
import type { SnapshotHolder } from '../snapshot.ts'
import { readPrefetchQuery } from './prefetch-query.ts'

export interface PrefetchRoutesDeps {
  readonly promRegistry: PromRegistry
  readonly prefetches: Prefetches
  readonly snapshots: Pick<SnapshotHolder, 'current'>
  readonly clock: Clock
}

interface PrefetchRoute {
  Params: { id: string }
}

const NOT_BEGUN: Record<NotBegun, string> = {
  empty: 'the list holds no URL',
  full: `as many prefetches as may be (${PREFETCHES_MAX}), or as long ones, are under way: wait for one, or cancel it`,
}

export function addPrefetchRoutes(service: FastifyInstance, deps: PrefetchRoutesDeps): void {
  const { promRegistry, prefetches, snapshots, clock } = deps
  const begun = new Counter({
    name: 'edgeward_scheduler_prefetches_total',
    help: 'Prefetches begun by this scheduler, by whether an operator or a property’s `warm` asked.',
    labelNames: ['origin'] as const,
    registers: [promRegistry],
  })
  prefetches.onBegin = ({ warm }) => begun.inc({ origin: warm === null ? 'operator' : 'warm' })
  addListRoute(service, deps)

  service.get('/api/v1/prefetches', (_request, reply) =>
    answered(reply, async () => {
      const jobs = await prefetches.store.all()
      const listed = await Promise.all(
        jobs.map(async (job) => {
          const standing = await prefetches.store.standingOf(job.id)
          return Object.assign(headOf(job, standing), { counts: countsOf(job, standing) })
        }),
      )
      return { prefetches: listed } satisfies PrefetchList
    }),
  )
  service.get<PrefetchRoute>('/api/v1/prefetches/:id', (request, reply) =>
    answered(reply, async () => {
      const { id } = request.params
      const job = await prefetches.store.find(id)
      if (job === undefined) return refuse(reply, 404, 'unknown-prefetch', 'no prefetch of that id is kept')
      const progress = await prefetches.store.progressOf(id)
      const { topology, reports, health } = snapshots.current
      const edges = Object.entries(job.parts).map(([edge, urls]) => {
        const view = topology.edgesById.get(edge)
        // One that the configuration no longer has gets nothing any more.
        const state =
          view === undefined
            ? 'removed'
            : edgeStateOf(reports[view.index], clock.monotonic(), health[view.index])
        const said = progress.get(edge) ?? null
        return { id: edge, site: view?.siteId ?? '', health: state, urls, progress: said }
      })
      return { ...headOf(job, progress), edges } satisfies PrefetchStatus
    }),
  )
  service.delete<PrefetchRoute>('/api/v1/prefetches/:id', { onRequest: refuseStrangers }, (request, reply) =>
    answered(reply, async () => {
      const { id } = request.params
      if (await prefetches.cancel(id)) return { id }
      return refuse(reply, 404, 'unknown-prefetch', 'no prefetch of that id is kept')
    }),
  )
}

/** The list is read line by line as it comes, and no faster than it can be taken in. */
function addListRoute(service: FastifyInstance, { prefetches, snapshots }: PrefetchRoutesDeps): void {
  let running = 0
  // A scope of its own: elsewhere a body is JSON, and read whole.
  void service.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(['text/plain', 'application/x-ndjson'], (_request, body, done) =>
      done(null, body),
    )
    scope.post('/api/v1/prefetches', { onRequest: refuseStrangers }, (request, reply) =>
      answered(reply, async () => {
        const { body, query } = request
        const read = readPrefetchQuery(query, snapshots.current.topology)
        if ('problem' in read) return refuse(reply, 400, 'prefetch', read.problem)
        if (!(body instanceof Readable)) return refuse(reply, 400, 'prefetch', NOT_BEGUN.empty)
        if (running >= PREFETCH_LISTS_AT_ONCE) {
          return refuse(reply, 503, 'busy', 'other lists are being taken in: try again in a moment')
        }
        running += 1
        try {
          const job = await prefetches.begin(listLines(bytesOf(body)), { ...read, warm: null })
          if (typeof job === 'string') return refuse(reply, job === 'full' ? 503 : 400, job, NOT_BEGUN[job])
          const edges = Object.keys(job.parts).length
          return { id: job.id, urls: job.urls, edges } satisfies PrefetchReply
        } finally {
          running -= 1
        }
      }),
    )
  })
}

/** Whoever has read enough of it leaves it whole: the answer goes out on its connection. */
async function* bytesOf(body: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of body.iterator({ destroyOnReturn: false })) {
    if (Buffer.isBuffer(chunk)) yield chunk
  }
}

/** What is wrong with a list, and a store that is away, are for the operator to hear of. */
async function answered(reply: FastifyReply, answer: () => Promise<unknown>): Promise<unknown> {
  try {
    return await answer()
  } catch (error) {
    if (error instanceof LineError) {
      return refuse(reply, 400, 'line', `line ${error.number}: ${error.message}`)
    }
    if (error instanceof StoreAwayError) return refuse(reply, 503, 'store', error.message)
    if (error instanceof NotAppendedError) {
      return refuse(reply, 503, error.outcome, `edges were not told: ask for it again (${error.message})`)
    }
    throw error
  }
}

function headOf(job: PrefetchJob, standing: ReadonlyMap<string, EdgeStanding>) {
  const { id, warm, atMs, settings, sites, urls } = job
  return { id, state: stateOf(job, standing), warm, atMs, settings, sites: [...sites], urls }
}
