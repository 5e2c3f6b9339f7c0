// POST /api/v1/purges on an edge's admin listener: a purge at this edge alone, for edges without a scheduler. From this
// machine, and no page in a browser on it.
import type { FastifyInstance } from 'fastify'
import { refuse, refuseStrangers } from '../../src/own-machine.ts'
import { purgeSchema } from '../../src/wire/events.ts'
import type { Purger } from '../purge/purger.ts'

export function addPurgeRoute(
  admin: FastifyInstance,
  purger: Purger,
  isProperty: (id: string) => boolean,
): void {
  admin.post('/api/v1/purges', { onRequest: refuseStrangers }, async (request, reply) => {
    const parsed = purgeSchema.safeParse(request.body)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      return refuse(reply, 400, 'purge', `${issue?.path.join('.') || 'purge'}: ${issue?.message ?? ''}`)
    }
    const { property } = parsed.data
    if (property !== null && !isProperty(property)) {
      return refuse(reply, 400, 'purge', `property: no property of this edge has the id "${property}"`)
    }
    await purger.purge(parsed.data)
    return { purge: parsed.data }
  })
}
