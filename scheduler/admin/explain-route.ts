// GET /api/v1/explain: what a client would be answered now, with every candidate and the reasons.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { InquiryError, readInquiry } from '../../src/inquiry.ts'
import type { Inquiry } from '../../src/inquiry.ts'
import type { Decision } from '../../src/wire/decision.ts'

export interface ExplainDeps {
  /** By the code and from the state of the steering listener. */
  explain: (inquiry: Inquiry) => Promise<Decision>
  clock: Clock
}

/** `header` may be repeated: `Name: value`. */
const askedSchema = z.strictObject({
  url: z.string().max(8192),
  client: z.string().max(64).optional(),
  method: z.string().max(32).default('GET'),
  header: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform((given) => [given].flat()),
})

export function addExplainRoute(service: FastifyInstance, { explain, clock }: ExplainDeps): void {
  service.get('/api/v1/explain', async (request, reply) => {
    const asked = askedSchema.safeParse(request.query)
    if (!asked.success) {
      const [issue] = asked.error.issues
      const message = `${issue?.path.join('.') || 'query'}: ${issue?.message ?? ''}`
      return reply.code(400).send({ error: 'explain', message })
    }
    const { url, client, ...rest } = asked.data
    try {
      const options = { ...rest, ...(client !== undefined && { address: client }) }
      return await explain(readInquiry(url, options, clock.now()))
    } catch (error) {
      if (!(error instanceof InquiryError)) throw error
      return reply.code(400).send({ error: 'explain', message: error.message })
    }
  })
}
