// What DNS answers a client, with its reasons: GET /api/v1/explain?dns=NAME on the scheduler's admin listener, which
// `edgeward explain --dns` reads.
import { z } from 'zod'
import { holdSchema, locationSchema, siteRecordSchema } from './decision.ts'

/** As a zone file has it: names with their final dot. */
const recordSchema = z.object({
  owner: z.string(),
  ttlSeconds: z.number(),
  type: z.string(),
  data: z.string(),
})

/** The edges of one address family. */
const choiceSchema = z.object({
  family: z.union([z.literal(4), z.literal(6)]),
  /** Weighed sites in the order of their weighing, then those that were not. */
  sites: z.array(siteRecordSchema),
  /** Best first, with so many addresses together as an answer has at most; resolvers get them in turns. */
  edges: z.array(z.object({ edge: z.string(), site: z.string(), addresses: z.array(z.string()) })),
})

const answerSchema = z.object({
  /** `A`; `TYPE731` for one that has no name here. */
  type: z.string(),
  rcode: z.string(),
  /**
   * alias: CNAMEs lead to a name that is followed no further here. no-such-data: the name is there, without this type.
   * none-lives: edges have it, and none of them can serve. prohibited: nobody is answered that.
   */
  outcome: z.enum([
    'records',
    'alias',
    'delegated',
    'no-such-data',
    'no-such-name',
    'none-lives',
    'not-ready',
    'not-ours',
    'prohibited',
  ]),
  source: z.enum(['static', 'steered', 'schedulers', 'delegation', 'none']),
  /** What the name was found as where CNAMEs end: itself, a wildcard, or what is delegated; null: not at all. */
  found: z.string().nullable(),
  /** Of that; null for a name of others. */
  zone: z.string().nullable(),
  /** Who asks for signatures gets them. */
  signed: z.boolean(),
  /** Of a steered name. */
  property: z.string().nullable(),
  /** null: the answer does not depend on where the client is. */
  location: locationSchema.nullable(),
  /** Every client in this network is answered the same; null where it does not depend on the client's own address. */
  scope: z.string().nullable(),
  /** Of a steered answer: one of its family, two for HTTPS. */
  choices: z.array(choiceSchema),
  answer: z.array(recordSchema),
  authority: z.array(recordSchema),
  additional: z.array(recordSchema),
  /** RFC 8914. */
  extendedError: z.object({ code: z.number(), text: z.string() }).nullable(),
})

export const dnsDecisionSchema = z.object({
  /** ISO 8601, UTC. */
  time: z.string(),
  /** With its final dot. */
  name: z.string(),
  /** RFC 5952. */
  client: z.string(),
  /** false: resolvers are answered by their own address, and `client` is one of them. */
  clientSubnet: z.boolean(),
  /** One of each type that is asked for. */
  answers: z.array(answerSchema),
  holds: z.array(holdSchema),
})

export type DnsDecision = z.infer<typeof dnsDecisionSchema>
export type DnsAnswerRecord = DnsDecision['answers'][number]
export type DnsChoiceRecord = z.infer<typeof choiceSchema>
export type DnsRecordText = z.infer<typeof recordSchema>
