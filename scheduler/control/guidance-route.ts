// GET /edge/v1/guidance?edge=ID: what the edges of its site are told at run time, ready as text.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { EdgeView } from '../topology.ts'
import { matchesEtag } from './etag.ts'

const querySchema = z.strictObject({ edge: z.string().min(1).max(64) })

export interface SiteGuidanceSource {
  /** undefined: edges go on with what they have. */
  versionAt(siteId: string): string | undefined
  guidanceAt(siteId: string): { readonly version: string; readonly text: string } | undefined
  reportReplyAt(siteId: string): string
  onNews(siteId: string, listener: () => void): () => void
}

export interface GuidanceRouteDeps {
  readonly guidance: () => SiteGuidanceSource
  /** Edges of the key that a request carries. */
  readonly holdersOf: (request: FastifyRequest) => readonly EdgeView[]
}

export function addGuidanceRoute(service: FastifyInstance, { guidance, holdersOf }: GuidanceRouteDeps): void {
  service.get('/edge/v1/guidance', (request, reply) => {
    const parsed = querySchema.safeParse(request.query)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      const message = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`
      return reply.code(400).send({ error: 'query', message })
    }
    const { edge } = parsed.data
    const holder = holdersOf(request).find(({ id }) => id === edge)
    if (holder === undefined) {
      return reply.code(403).send({ error: 'edge', message: `edge: this key is not that of edge "${edge}"` })
    }
    const found = guidance().guidanceAt(holder.siteId)
    if (found === undefined) {
      const message = 'this scheduler has just started and does not know yet which edges there are'
      return reply.code(503).header('Retry-After', 1).send({ error: 'starting', message })
    }
    const etag = `"${found.version}"`
    // It holds secrets.
    void reply.header('ETag', etag).header('Cache-Control', 'private, no-cache')
    if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send()
    return reply.type('application/json; charset=utf-8').send(found.text)
  })
}
