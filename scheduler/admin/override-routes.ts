// Operators' overrides over the admin listener: PUT and DELETE /api/v1/edges/:id/override. There are no admin tokens
// yet, so that only this machine may change anything, and no page in a browser on it.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '../../src/log.ts'
import { overrideRequestSchema } from '../../src/wire/override.ts'
import type { OverrideReply, OverrideRequest } from '../../src/wire/override.ts'
import type { Registry } from '../registry/registry.ts'
import type { SnapshotHolder } from '../snapshot.ts'

interface OverrideDeps {
  registry: Registry
  snapshots: SnapshotHolder
  log: Logger
}

interface EdgeRoute {
  Params: { id: string }
}

const OVERRIDE_PATH = '/api/v1/edges/:id/override'

export function addOverrideRoutes(service: FastifyInstance, deps: OverrideDeps): void {
  service.put<EdgeRoute>(OVERRIDE_PATH, { onRequest: refuseStrangers }, async (request, reply) => {
    const parsed = overrideRequestSchema.safeParse(request.body)
    if (parsed.success) return change(deps, request.params.id, parsed.data, reply)
    const [issue] = parsed.error.issues
    const field = issue?.path.join('.') ?? ''
    return refuse(reply, 400, 'override', `${field === '' ? 'override' : field}: ${issue?.message ?? ''}`)
  })
  service.delete<EdgeRoute>(OVERRIDE_PATH, { onRequest: refuseStrangers }, async (request, reply) =>
    change(deps, request.params.id, null, reply),
  )
}

async function change(
  { registry, snapshots, log }: OverrideDeps,
  edge: string,
  wanted: OverrideRequest | null,
  reply: FastifyReply,
): Promise<OverrideReply | FastifyReply> {
  if (!snapshots.current.topology.edges.some(({ id }) => id === edge)) {
    return refuse(reply, 404, 'unknown-edge', 'no edge of this cluster has that id')
  }
  const kept = await registry.setOverride(edge, wanted)
  const override = registry.overrides().get(edge) ?? null
  log.info({ edge, override, kept }, override === null ? 'override removed' : 'override set')
  return { edge, override, kept }
}

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/

/**
 * Browsers name the page's origin in every PUT and DELETE, also that of a page whose name was made to resolve to
 * loopback; commands do not.
 */
async function refuseStrangers(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  if (!LOOPBACK.test(request.ip)) {
    return refuse(reply, 403, 'not-loopback', 'changes are taken from this machine only')
  }
  if (request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined) {
    return refuse(reply, 403, 'browser', 'changes are not taken from pages in browsers')
  }
  return undefined
}

function refuse(reply: FastifyReply, status: number, error: string, message: string): FastifyReply {
  return reply.code(status).send({ error, message })
}
