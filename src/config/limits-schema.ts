// How much of it: the limits of a property and of each of its clients, in the form of a file and of the wire.
import { z } from 'zod'
import type { ScalarForm } from './scalar-form.ts'

const count = z.number().int().min(1).max(1e9)
/** Sessions that one edge can follow. */
const sessions = z.number().int().min(1).max(1e6)

export function limitsSchema(form: ScalarForm) {
  const requests = z.strictObject({
    rate: z.number().positive().max(1e9).describe('Requests a second.'),
    burst: count.describe('Requests at once.'),
  })
  return z
    .strictObject({
      response: z
        .strictObject({
          rate: form.rate().describe('Of one response, once its burst is used.'),
          burst: form.size('4MiB').describe('Sent as fast as it goes, so that a player starts at once.'),
        })
        .optional()
        .describe('Pace of a response.'),
      bandwidth: form.rate().optional().describe('Of the property on one edge, shared among its responses.'),
      sessions: sessions.optional().describe('Concurrent sessions of the property on one edge.'),
      requests: requests.optional().describe('Requests to the property on one edge.'),
      client: z
        .strictObject({
          requests: requests.optional().describe('Requests of one client.'),
          connections: count.optional().describe('Concurrent requests of one client.'),
          bandwidth: form.rate().optional().describe('Of one client.'),
          sessions: sessions.optional().describe('Concurrent sessions of one client.'),
        })
        .prefault({})
        .describe('A client is one IPv4 address or one IPv6 /64.'),
      sessionIdle: form
        .duration()
        .optional()
        .describe('A session ends this long after its last request. Default: 30s.'),
      over: z
        .enum(['refuse', 'steer'])
        .default('refuse')
        .describe(
          'Over a limit of the property: `refuse` with 503, or `steer`: back to the scheduler, for another edge.',
        ),
    })
    .prefault({})
    .describe('How much of it. Over a limit of a client: 429, of the property: 503, both with Retry-After.')
}

export type LimitSettings = z.infer<ReturnType<typeof limitsSchema>>
