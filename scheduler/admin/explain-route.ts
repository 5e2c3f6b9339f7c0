// GET /api/v1/explain: what a client would be answered now, with every candidate and the reasons. It decides as the
// steering listener does, from the same snapshot and demand, and leaves no trace in either.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { InquiryError, readInquiry } from '../../src/inquiry.ts'
import type { Inquiry } from '../../src/inquiry.ts'
import type { Decision } from '../../src/wire/decision.ts'
import { judgeToken } from '../access.ts'
import type { Demand } from '../choose/demand.ts'
import { decisionRecordOf } from '../explain/decision-record.ts'
import { readQuery } from '../query.ts'
import type { SteerQuery } from '../query.ts'
import type { SnapshotHolder } from '../snapshot.ts'
import { steer } from '../steer-flow.ts'

export interface ExplainDeps {
  snapshots: SnapshotHolder
  demand: Demand
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

export function addExplainRoute(service: FastifyInstance, deps: ExplainDeps): void {
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
      return await explain(readInquiry(url, options, deps.clock.now()), deps)
    } catch (error) {
      if (!(error instanceof InquiryError)) throw error
      return reply.code(400).send({ error: 'explain', message: error.message })
    }
  })
}

async function explain(inquiry: Inquiry, { snapshots, demand, clock }: ExplainDeps): Promise<Decision> {
  const query = steerQueryOf(inquiry)
  const snapshot = snapshots.current
  const asked = readQuery(query, snapshot.topology.properties)
  const token = await judgeToken(asked, snapshot)
  const steered = steer(query, snapshot, clock.monotonic(), token, demand, asked)
  return decisionRecordOf(steered, { everySite: true, sitesMax: Infinity })
}

function steerQueryOf({ method, scheme, host, target, peer, nowMs, header }: Inquiry): SteerQuery {
  const question = target.indexOf('?')
  return {
    method,
    host,
    path: question < 0 ? target : target.slice(0, question),
    search: question < 0 ? '' : target.slice(question),
    peer,
    origin: header('origin'),
    requestedHeaders: undefined,
    forwarded: header('forwarded'),
    xForwardedFor: header('x-forwarded-for'),
    secure: scheme === 'https',
    atMs: nowMs,
    header,
  }
}
