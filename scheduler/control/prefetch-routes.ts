// What an edge asks of prefetches, and says of them: which there are for it, its part of the list piece by piece, and how
// far it is.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { prefetchProgressSchema } from '../../src/wire/prefetch.ts'
import { PREFETCH_PROGRESS_BYTES_MAX } from '../limits.ts'
import { StoreAwayError } from '../prefetch/prefetch-store.ts'
import type { Prefetches } from '../prefetch/prefetches.ts'
import type { EdgeView } from '../topology.ts'

const querySchema = z.strictObject({
  edge: z.string().min(1).max(64),
  from: z.coerce.number().int().min(0).max(1e6).default(0),
})

interface PrefetchRoute {
  Params: { id: string }
}

export interface EdgePrefetchDeps {
  readonly prefetches: Prefetches
  /** Edges of the key that a request carries. */
  readonly holdersOf: (request: FastifyRequest) => readonly EdgeView[]
}

export function addEdgePrefetchRoutes(service: FastifyInstance, deps: EdgePrefetchDeps): void {
  const { prefetches } = deps
  service.get('/edge/v1/prefetches', (request, reply) =>
    forEdge(request, reply, deps, async ({ edge }) => ({ ids: await prefetches.idsFor(edge) })),
  )
  service.get<PrefetchRoute>('/edge/v1/prefetches/:id', (request, reply) =>
    forEdge(request, reply, deps, ({ edge }) => prefetches.partOf(request.params.id, edge)),
  )
  service.get<PrefetchRoute>('/edge/v1/prefetches/:id/urls', (request, reply) =>
    forEdge(request, reply, deps, ({ edge, from }) => prefetches.urlsFor(request.params.id, edge, from)),
  )
  service.put<PrefetchRoute>(
    '/edge/v1/prefetches/:id/progress',
    { bodyLimit: PREFETCH_PROGRESS_BYTES_MAX },
    (request, reply) =>
      forEdge(request, reply, deps, async ({ edge }) => {
        const parsed = prefetchProgressSchema.safeParse(request.body)
        if (!parsed.success) return refuse(reply, 400, 'progress', problemOf(parsed.error))
        return prefetches.takeProgress(request.params.id, edge, parsed.data)
      }),
  )
}

async function forEdge(
  request: FastifyRequest,
  reply: FastifyReply,
  { holdersOf }: EdgePrefetchDeps,
  answer: (query: z.infer<typeof querySchema>) => Promise<unknown>,
): Promise<unknown> {
  const parsed = querySchema.safeParse(request.query)
  if (!parsed.success) return refuse(reply, 400, 'query', problemOf(parsed.error))
  const { edge } = parsed.data
  if (!holdersOf(request).some(({ id }) => id === edge)) {
    return refuse(reply, 403, 'edge', `edge: this key is not that of edge "${edge}"`)
  }
  try {
    return await answer(parsed.data)
  } catch (error) {
    // The edge asks again in a moment.
    if (error instanceof StoreAwayError) return refuse(reply, 503, 'store', error.message)
    throw error
  }
}

function problemOf({ issues: [issue] }: z.ZodError): string {
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`
}

function refuse(reply: FastifyReply, status: number, error: string, message: string): FastifyReply {
  return reply.code(status).send({ error, message })
}
