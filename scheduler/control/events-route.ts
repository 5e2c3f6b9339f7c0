// GET /edge/v1/events?edge=ID&after=ID: what an edge has not heard yet, held until there is something. Asking for what
// is behind an id acknowledges it. News of its guidance are told by the same reply.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Background } from '../../src/background.ts'
import { EVENTS_HELD_MS, eventIdSchema } from '../../src/wire/events.ts'
import type { EventsReply } from '../../src/wire/events.ts'
import type { EventLog } from '../events/event-log.ts'
import type { EdgeView } from '../topology.ts'
import type { SiteGuidanceSource } from './guidance-route.ts'

const querySchema = z.strictObject({
  edge: z.string().min(1).max(64),
  after: z.union([eventIdSchema, z.literal('')]).default(''),
  /** `0`: answered at once. */
  hold: z.enum(['0', '1']).default('1'),
})

export interface EventsRouteDeps {
  readonly events: EventLog
  readonly background: Background
  readonly guidance: () => SiteGuidanceSource
  /** Edges of the key that a request carries. */
  readonly holdersOf: (request: FastifyRequest) => readonly EdgeView[]
}

/** Gives a function that answers all who wait, so that the listener can close. */
export function addEventsRoute(
  service: FastifyInstance,
  { events, background, guidance, holdersOf }: EventsRouteDeps,
): () => void {
  const waiting = new Set<() => void>()
  /** The version of guidance that each edge was told last: between two questions there may have been another. */
  const told = new Map<string, string>()
  const answerTo = ({ id, siteId }: EdgeView, after: string): EventsReply => {
    const version = guidance().versionAt(siteId)
    if (version === undefined) return events.after(after)
    told.set(id, version)
    return { ...events.after(after), guidanceVersion: version }
  }
  service.get('/edge/v1/events', (request, reply) => {
    const parsed = querySchema.safeParse(request.query)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      return reply
        .code(400)
        .send({ error: 'query', message: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` })
    }
    const { edge, after, hold } = parsed.data
    const holder = holdersOf(request).find(({ id }) => id === edge)
    if (holder === undefined) {
      return reply.code(403).send({ error: 'edge', message: `edge: this key is not that of edge "${edge}"` })
    }
    if (after !== '') events.acknowledge(edge, after)
    const toldBefore = told.get(edge)
    const answer = answerTo(holder, after)
    const isNewGuidance = toldBefore !== undefined && toldBefore !== answer.guidanceVersion
    if (hold === '0' || isNewGuidance || isNews(answer, after)) return reply.send(answer)
    const onNews = (wake: () => void) => {
      const stops = [events.onAppend(wake), guidance().onNews(holder.siteId, wake)]
      return () => stops.forEach((stop) => stop())
    }
    background('hold events', heldReply(reply, { waiting, onNews, answer: () => answerTo(holder, after) }))
    return reply
  })
  return () => {
    for (const wake of waiting) wake()
  }
}

/** Where the log stands is news to an edge that knows nothing of it. */
function isNews({ events, last, gap }: EventsReply, after: string): boolean {
  return gap || events.length > 0 || last !== after
}

interface Held {
  readonly waiting: Set<() => void>
  /** Gives what ends it. */
  readonly onNews: (wake: () => void) => () => void
  readonly answer: () => EventsReply
}

async function heldReply(reply: FastifyReply, { waiting, onNews, answer }: Held): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, EVENTS_HELD_MS)
  const stop = onNews(resolve)
  waiting.add(resolve)
  // The edge has gone: nobody is answered any more.
  reply.raw.once('close', resolve)
  await promise
  clearTimeout(timer)
  stop()
  waiting.delete(resolve)
  if (!reply.raw.destroyed) await reply.send(answer())
}
