// Operators' overrides over the admin listener: PUT and DELETE /api/v1/edges/:id/override.
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Logger } from '../../src/log.ts'
import { overrideRequestSchema } from '../../src/wire/override.ts'
import type { OverrideReply, OverrideRequest } from '../../src/wire/override.ts'
import type { Registry } from '../registry/registry.ts'
import type { SnapshotSource } from '../snapshot.ts'
import { refuse, refuseStrangers } from '../../src/own-machine.ts'

interface OverrideDeps {
  registry: Registry
  snapshots: SnapshotSource
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
