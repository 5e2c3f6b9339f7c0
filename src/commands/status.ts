// `edgeward status`: what a scheduler knows of itself, its registry, its edges and origins. Exit code 1 when it is not
// ready.
import { Command } from 'commander'
import { z } from 'zod'
import { edgeOverrideSchema } from '../wire/override.ts'
import type { EdgeOverride } from '../wire/override.ts'
import { adminOption, askAdmin } from './operator/admin-client.ts'
import { tableLines } from './operator/table.ts'

const statusSchema = z.object({
  version: z.string(),
  readiness: z.object({ ready: z.boolean(), reason: z.string().optional() }),
  registry: z.object({
    kind: z.enum(['memory', 'redis']),
    state: z.enum(['healthy', 'held']),
    reason: z.string().optional(),
    heldForMs: z.number().optional(),
  }),
  holds: z.array(z.object({ evidence: z.string(), edges: z.number(), forMs: z.number() })),
})

const edgesSchema = z.object({
  edges: z.array(
    z.object({
      id: z.string(),
      site: z.string(),
      state: z.string(),
      suspicion: z.string().nullable(),
      reach: z.object({ ipv4: z.string(), ipv6: z.string() }).nullable(),
      ageMs: z.number().nullable(),
      report: z.object({ state: z.string(), connections: z.number() }).nullable(),
      override: edgeOverrideSchema.nullable(),
    }),
  ),
})

const probedSchema = z.object({ finding: z.string(), last: z.string().optional(), detail: z.string() })

const originsSchema = z.object({
  origins: z.array(
    z.object({
      id: z.string(),
      url: z.string(),
      state: z.string(),
      forMs: z.number(),
      by: z.string().nullable(),
      share: z.number(),
      held: z.boolean(),
      probes: z.record(z.string(), probedSchema).nullable(),
      edges: z.object({ edges: z.number(), failing: z.number(), ok: z.number(), failed: z.number() }),
    }),
  ),
})

type Status = z.infer<typeof statusSchema>
type EdgeStatus = z.infer<typeof edgesSchema>['edges'][number]
type OriginStatus = z.infer<typeof originsSchema>['origins'][number]

interface StatusOptions {
  admin: string
  json?: true
}

export function statusCommand(): Command {
  return new Command('status')
    .description('Say how a scheduler and its edges are.')
    .option('--json', 'print one JSON object')
    .addOption(adminOption())
    .action(async ({ admin, json }: StatusOptions) => {
      const [status, { edges }, { origins }] = await Promise.all([
        askAdmin(admin, '/api/v1/status', statusSchema),
        askAdmin(admin, '/api/v1/edges', edgesSchema),
        askAdmin(admin, '/api/v1/origins', originsSchema),
      ])
      const text =
        json === true
          ? `${JSON.stringify({ ...status, edges, origins })}\n`
          : [...pageLines(status, edges), '', ...originLines(origins), ''].join('\n')
      process.stdout.write(text)
      if (!status.readiness.ready) process.exitCode = 1
    })
}

function pageLines({ version, readiness, registry, holds }: Status, edges: readonly EdgeStatus[]): string[] {
  const held =
    registry.state === 'held'
      ? `held for ${Math.round((registry.heldForMs ?? 0) / 1000)} s: ${registry.reason ?? ''}`
      : registry.state
  const rows = edges.map(({ id, site, state, suspicion, reach, ageMs, report, override }) => [
    id,
    site,
    suspicion === null ? state : `${state}: ${suspicion}`,
    reachWords(reach),
    ageMs === null ? 'never' : `${(ageMs / 1000).toFixed(1)} s`,
    report === null ? '-' : String(report.connections),
    override === null ? '' : overrideWords(override),
  ])
  return [
    `scheduler ${version}: ${readiness.ready ? 'ready' : `not ready (${readiness.reason ?? ''})`}`,
    `registry ${registry.kind}: ${held}`,
    ...holds.map(
      ({ evidence, edges: count, forMs }) =>
        `held for ${Math.round(forMs / 1000)} s: ${evidence} against ${count} edges at once are not believed`,
    ),
    ...tableLines([['EDGE', 'SITE', 'STATE', 'PROBES', 'HEARD', 'CONNECTIONS', 'OVERRIDE'], ...rows]),
  ]
}

function originLines(origins: readonly OriginStatus[]): string[] {
  const rows = origins.map(({ id, state, forMs, by, share, held, probes, edges }) => [
    id,
    state === 'up'
      ? state
      : `${state}${state === 'returning' ? ` ${Math.round(share * 100)} %` : ''}: ${by ?? ''}`,
    `${Math.round(forMs / 1000)} s`,
    held ? 'not believed' : probes === null ? 'off' : probeWords(probes),
    edges.edges === 0
      ? '-'
      : `${edges.failing} of ${edges.edges} fail (${edges.failed} of ${edges.ok + edges.failed})`,
  ])
  return tableLines([['ORIGIN', 'STATE', 'SINCE', 'PROBES', 'EDGES'], ...rows])
}

/** The families that answer, and what is wrong with the others. */
function probeWords(probes: NonNullable<OriginStatus['probes']>): string {
  const told = Object.entries(probes).filter(([, { finding }]) => finding !== 'unknown')
  if (told.length === 0) return '-'
  return told
    .map(([family, { finding, last }]) => (finding === 'up' ? family : `no ${family} (${last ?? ''})`))
    .join(', ')
}

/** The families that answer, and those that do not. */
function reachWords(reach: EdgeStatus['reach']): string {
  if (reach === null) return 'off'
  const told = Object.entries(reach).filter(([, verdict]) => verdict !== 'unknown')
  if (told.length === 0) return '-'
  return told.map(([family, verdict]) => (verdict === 'reachable' ? family : `no ${family}`)).join(', ')
}

function overrideWords({ state, weight, reason, setAtMs }: EdgeOverride): string {
  const what = [...(state === null ? [] : [state]), ...(weight === 1 ? [] : [`weight ${weight}`])].join(', ')
  const since = new Date(setAtMs).toISOString().slice(0, 16)
  return `${what} since ${since}Z${reason === '' ? '' : `: ${reason}`}`
}
