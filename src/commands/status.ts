// `edgeward status`: what a scheduler knows of itself, its registry and its edges. Exit code 1 when it is not ready.
import { Command } from 'commander'
import { z } from 'zod'
import { edgeOverrideSchema } from '../wire/override.ts'
import type { EdgeOverride } from '../wire/override.ts'
import { adminOption, askAdmin } from './operator/admin-client.ts'

const statusSchema = z.object({
  version: z.string(),
  readiness: z.object({ ready: z.boolean(), reason: z.string().optional() }),
  registry: z.object({
    kind: z.enum(['memory', 'redis']),
    state: z.enum(['healthy', 'held']),
    reason: z.string().optional(),
    heldForMs: z.number().optional(),
  }),
})

const edgesSchema = z.object({
  edges: z.array(
    z.object({
      id: z.string(),
      site: z.string(),
      state: z.string(),
      ageMs: z.number().nullable(),
      report: z.object({ state: z.string(), connections: z.number() }).nullable(),
      override: edgeOverrideSchema.nullable(),
    }),
  ),
})

type Status = z.infer<typeof statusSchema>
type EdgeStatus = z.infer<typeof edgesSchema>['edges'][number]

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
      const [status, { edges }] = await Promise.all([
        askAdmin(admin, '/api/v1/status', statusSchema),
        askAdmin(admin, '/api/v1/edges', edgesSchema),
      ])
      const text = json === true ? `${JSON.stringify({ ...status, edges })}\n` : pageOf(status, edges)
      process.stdout.write(text)
      if (!status.readiness.ready) process.exitCode = 1
    })
}

function pageOf({ version, readiness, registry }: Status, edges: readonly EdgeStatus[]): string {
  const held =
    registry.state === 'held'
      ? `held for ${Math.round((registry.heldForMs ?? 0) / 1000)} s: ${registry.reason ?? ''}`
      : registry.state
  const rows = edges.map(({ id, site, state, ageMs, report, override }) => [
    id,
    site,
    state,
    ageMs === null ? 'never' : `${(ageMs / 1000).toFixed(1)} s`,
    report === null ? '-' : String(report.connections),
    override === null ? '' : overrideWords(override),
  ])
  return [
    `scheduler ${version}: ${readiness.ready ? 'ready' : `not ready (${readiness.reason ?? ''})`}`,
    `registry ${registry.kind}: ${held}`,
    ...tableLines([['EDGE', 'SITE', 'STATE', 'HEARD', 'CONNECTIONS', 'OVERRIDE'], ...rows]),
    '',
  ].join('\n')
}

function overrideWords({ state, weight, reason, setAtMs }: EdgeOverride): string {
  const what = [...(state === null ? [] : [state]), ...(weight === 1 ? [] : [`weight ${weight}`])].join(', ')
  const since = new Date(setAtMs).toISOString().slice(0, 16)
  return `${what} since ${since}Z${reason === '' ? '' : `: ${reason}`}`
}

function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
