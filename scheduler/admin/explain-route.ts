// GET /api/v1/explain: what a client would be answered now, over HTTP or DNS, with every candidate and the reasons.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { InquiryError, readInquiry } from '../../src/inquiry.ts'
import type { Inquiry } from '../../src/inquiry.ts'
import type { Decision } from '../../src/wire/decision.ts'
import type { DnsDecision } from '../../src/wire/dns-decision.ts'
import { readDnsInquiry } from '../explain/dns-inquiry.ts'
import type { DnsInquiry } from '../explain/dns-inquiry.ts'

export interface ExplainDeps {
  /** By the code and from the state of the steering listener. */
  explain: (inquiry: Inquiry) => Promise<Decision>
  /** Of the DNS server; null where there is none. */
  explainDns: ((inquiry: DnsInquiry) => DnsDecision) | null
  clock: Clock
}

const address = z.string().max(64).optional()

/** `header` may be repeated: `Name: value`. */
const urlSchema = z.strictObject({
  url: z.string().max(8192),
  client: address,
  method: z.string().max(32).default('GET'),
  header: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform((given) => [given].flat()),
})

/** A name of 255 octets, each of them escaped, is no longer. */
const dnsSchema = z.strictObject({
  dns: z.string().max(1024),
  client: address,
  type: z.string().max(16).optional(),
})

export function addExplainRoute(service: FastifyInstance, { explain, explainDns, clock }: ExplainDeps): void {
  service.get('/api/v1/explain', async (request, reply) => {
    const refuse = (status: number, message: string) => reply.code(status).send({ error: 'explain', message })
    try {
      if (!isAboutDns(request.query)) {
        const { url, client, ...rest } = parsed(urlSchema, request.query)
        const options = { ...rest, ...(client !== undefined && { address: client }) }
        return await explain(readInquiry(url, options, clock.now()))
      }
      if (explainDns === null)
        return refuse(404, 'this scheduler answers no DNS: scheduler.dns is not configured')
      return explainDns(readDnsInquiry(parsed(dnsSchema, request.query)))
    } catch (error) {
      if (!(error instanceof InquiryError)) throw error
      return refuse(400, error.message)
    }
  })
}

function isAboutDns(query: unknown): boolean {
  return typeof query === 'object' && query !== null && 'dns' in query
}

function parsed<T>(schema: z.ZodType<T>, query: unknown): T {
  const asked = schema.safeParse(query)
  if (asked.success) return asked.data
  const [issue] = asked.error.issues
  throw new InquiryError(`${issue?.path.join('.') || 'query'}: ${issue?.message ?? ''}`)
}
