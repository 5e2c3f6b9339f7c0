// GET /api/v1/origins: what this scheduler believes of each origin, and why. GET /api/v1/chains?site=&property=: the
// tiers that the edges of a site are told for a property.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import type { Filling } from '../filling.ts'
import { tiersAt } from '../guidance/tiers.ts'
import { NOTHING_SEEN } from '../origin/edges-word.ts'
import type { EdgesView } from '../origin/edges-word.ts'
import type { FamilyStanding } from '../origin/family-standing.ts'
import type { OriginStanding } from '../origin/origin-judge.ts'
import type { Verdict } from '../origin/verdict.ts'

export interface OriginRouteDeps {
  readonly running: { readonly now: { readonly filling: Filling } }
  readonly clock: Clock
}

export interface OriginEntry {
  id: string
  url: string
  state: Verdict['state']
  /** How long it has been so. */
  forMs: number
  /** What brought it down last; null: nothing yet. */
  by: Verdict['by']
  /** Of its requests, 0 to 1. */
  share: number
  /** Its probes are not believed: too many turned bad at once. */
  held: boolean
  /** By address family; null where it is not probed. */
  probes: Partial<Record<'ipv4' | 'ipv6', FamilyStanding>> | null
  /** What edges reported within the last two seconds. */
  edges: EdgesView
}

const chainsQuerySchema = z.strictObject({ site: z.string().max(64), property: z.string().max(64) })

export function addOriginRoutes(service: FastifyInstance, { running, clock }: OriginRouteDeps): void {
  service.get('/api/v1/origins', async () => {
    const nowMs = clock.monotonic()
    return { origins: running.now.filling.origins.standings().map((standing) => entryOf(standing, nowMs)) }
  })
  service.get('/api/v1/chains', async (request, reply) => {
    const refuse = (status: number, message: string) => reply.code(status).send({ error: 'chains', message })
    const parsed = chainsQuerySchema.safeParse(request.query)
    if (!parsed.success) return refuse(400, 'name a site and a property: ?site=ID&property=ID')
    const { plan, guidance } = running.now.filling
    const site = plan.sites.find(({ id }) => id === parsed.data.site)
    const group = plan.groups.find(({ properties }) => properties.includes(parsed.data.property))
    if (site === undefined) return refuse(404, `there is no site "${parsed.data.site}"`)
    if (group === undefined) return refuse(404, `there is no property "${parsed.data.property}"`)
    const tiers = tiersAt(site, group, plan.parents[site.index] ?? [], guidance.fillers)
    return { ...parsed.data, tiers: tiers.map(({ kind, edges }) => ({ kind, edges })) }
  })
}

function entryOf(
  { origin, verdict, share, isHeld, probes, edges }: OriginStanding,
  nowMs: number,
): OriginEntry {
  const families = [...probes].map(([family, standing]) => [`ipv${family}`, standing])
  return {
    id: origin.id,
    url: origin.url,
    state: verdict.state,
    forMs: Math.round(nowMs - verdict.sinceMs),
    by: verdict.by,
    share,
    held: isHeld,
    probes: families.length === 0 ? null : Object.fromEntries(families),
    edges: edges.edges === 0 ? NOTHING_SEEN : edges,
  }
}
