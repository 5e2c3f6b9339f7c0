// What was asked and answered over DNS, counted in plain arrays and turned into Prometheus' terms when they are scraped,
// as the answers over HTTP are (admin/answer-counts.ts).
import { Counter } from 'prom-client'
import type { Registry as PromRegistry } from 'prom-client'
import { LOCATION_SOURCES } from '../locate/locate.ts'
import type { LocationSource } from '../locate/locate.ts'
import { ANSWER_SOURCES } from './answer/answer.ts'
import type { AnswerSource } from './answer/answer.ts'
import { NO_PLACE, RCODE, TYPE, placesOf, rcodeName, typeName } from './message/codes.ts'

export const TRANSPORTS = ['udp', 'tcp'] as const
export type Transport = (typeof TRANSPORTS)[number]

/** no-query: an answer, or too short to be one. not-sent: the kernel takes no more. */
export const NO_REPLIES = [
  'no-query',
  'limited-slip',
  'limited-drop',
  'not-sent',
  'too-many-connections',
] as const
export type NoReply = (typeof NO_REPLIES)[number]

export interface DnsMetrics {
  answered(
    transport: Transport,
    type: number,
    rcode: number,
    source: AnswerSource,
    located: LocationSource | undefined,
  ): void
  noReply(reason: NoReply): void
  /** So many packets over UDP were taken by one call. */
  batched(packets: number): void
}

/** Types with a label of their own; a client may ask for any number. */
const TYPES: readonly number[] = Object.values(TYPE)
const RCODES: readonly number[] = Object.values(RCODE)
const PLACE_OF_TYPE = placesOf(TYPES)
const PLACE_OF_RCODE = placesOf(RCODES)
/** Behind the types: any other. */
const TYPE_PLACES = TYPES.length + 1

export function createDnsMetrics(registers: PromRegistry): DnsMetrics {
  const queries = new Float64Array(TRANSPORTS.length * TYPE_PLACES * RCODES.length)
  const sources = new Float64Array(ANSWER_SOURCES.length)
  const locations = new Float64Array(LOCATION_SOURCES.length)
  const unanswered = new Float64Array(NO_REPLIES.length)
  let batched = 0
  registers.registerMetric(queriesTotal(queries))
  registers.registerMetric(
    countedBy(
      'edgeward_scheduler_dns_answers_total',
      'Answers over DNS, by where they come from.',
      'source',
      ANSWER_SOURCES,
      sources,
    ),
  )
  registers.registerMetric(
    countedBy(
      'edgeward_scheduler_dns_locations_total',
      'Steered answers over DNS, by what told where the client is.',
      'source',
      LOCATION_SOURCES,
      locations,
    ),
  )
  registers.registerMetric(
    countedBy(
      'edgeward_scheduler_dns_unanswered_total',
      'Packets over UDP and TCP without an answer of records, by reason.',
      'reason',
      NO_REPLIES,
      unanswered,
    ),
  )
  registers.registerMetric(
    new Counter({
      name: 'edgeward_scheduler_dns_udp_batched_total',
      help: 'Packets over UDP that waited behind another and were taken many a system call.',
      registers: [],
      collect() {
        this.reset()
        this.inc(batched)
      },
    }),
  )
  return {
    batched: (packets) => (batched += packets),
    answered(transport, type, rcode, source, located) {
      const typePlace = PLACE_OF_TYPE[type] ?? NO_PLACE
      const place =
        (transport === 'udp' ? 0 : TYPE_PLACES) + (typePlace === NO_PLACE ? TYPES.length : typePlace)
      bump(queries, place * RCODES.length + Math.max(0, PLACE_OF_RCODE[rcode] ?? 0))
      bump(sources, ANSWER_SOURCES.indexOf(source))
      if (located !== undefined) bump(locations, LOCATION_SOURCES.indexOf(located))
    },
    noReply: (reason) => bump(unanswered, NO_REPLIES.indexOf(reason)),
  }
}

function queriesTotal(queries: Float64Array): Counter<'transport' | 'type' | 'rcode'> {
  return new Counter({
    name: 'edgeward_scheduler_dns_queries_total',
    help: 'Queries over DNS that were answered, by transport, type and response code.',
    labelNames: ['transport', 'type', 'rcode'],
    registers: [],
    collect() {
      this.reset()
      queries.forEach((count, i) => {
        if (count === 0) return
        const place = Math.floor(i / RCODES.length)
        const type = TYPES[place % TYPE_PLACES]
        const labels = {
          transport: TRANSPORTS[Math.floor(place / TYPE_PLACES)] ?? '',
          type: type === undefined ? 'other' : typeName(type),
          rcode: rcodeName(RCODES[i % RCODES.length] ?? 0),
        }
        this.inc(labels, count)
      })
    },
  })
}

function countedBy(
  name: string,
  help: string,
  label: string,
  words: readonly string[],
  counts: Float64Array,
): Counter {
  return new Counter({
    name,
    help,
    labelNames: [label],
    registers: [],
    collect() {
      this.reset()
      words.forEach((word, i) => {
        if ((counts[i] ?? 0) > 0) this.inc({ [label]: word }, counts[i])
      })
    },
  })
}

function bump(counts: Float64Array, place: number): void {
  counts[place] = (counts[place] ?? 0) + 1
}
