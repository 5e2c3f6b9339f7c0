// `edgeward purge`: what is purged at every edge at once, and how far it has come.
import { Command } from 'commander'
import { setTimeout as wait } from 'node:timers/promises'
import { purgeReplySchema, purgeStatusSchema } from '../wire/purge.ts'
import type { PurgeRequest, PurgeStatus } from '../wire/purge.ts'
import { adminOption, askAdmin } from './operator/admin-client.ts'
import { tableLines } from './operator/table.ts'

interface PurgeOptions {
  admin: string
  prefix?: true
  property?: string
  wildcard?: string
  tag?: string
  all?: true
  soft?: true
}

/** How long the command waits for live edges, and between two looks. */
const WAIT_MS = 10_000
const LOOK_EVERY_MS = 100

export function purgeCommand(): Command {
  const command = new Command('purge')
    .description('Take content off every edge at once; says when each has done so.')
    .argument('[urls...]', 'whole URLs, as clients ask for them')
    .option('--prefix', 'each URL is the beginning of those that go')
    .option('--property <id>', 'of this property: with --wildcard or --tag, or all of it')
    .option('--wildcard <pattern>', 'paths such as *.ts or /live/**')
    .option('--tag <tag>', 'what the origin named in Surrogate-Key or Cache-Tag')
    .option('--all', 'everything')
    .option('--soft', 'keep it, to be asked for again before it is used')
    .addOption(adminOption())
    .action(async (urls: string[], options: PurgeOptions) => {
      const ids: string[] = []
      for (const request of requestsOf(urls, options, command)) {
        // oxlint-disable-next-line no-await-in-loop -- in the order in which they are named
        const { id } = await askAdmin(options.admin, '/api/v1/purges', purgeReplySchema, {
          method: 'POST',
          body: request,
        })
        ids.push(id)
        process.stdout.write(`${id}\n`)
      }
      const last = ids.at(-1)
      if (last !== undefined) await untilApplied(options.admin, last)
    })
  command.addCommand(statusCommand())
  return command
}

function statusCommand(): Command {
  return new Command('status')
    .description('Which edges have applied a purge, and how soon.')
    .argument('<id>', 'as `edgeward purge` printed it')
    .addOption(adminOption())
    .exitOverride()
    .action(async (id: string, _options: unknown, command: Command) => {
      // `purge` has the option too, and takes it wherever it stands.
      const { admin } = command.optsWithGlobals<{ admin: string }>()
      const status = await askAdmin(admin, `/api/v1/purges/${encodeURIComponent(id)}`, purgeStatusSchema)
      process.stdout.write(`${statusLines(status).join('\n')}\n`)
    })
}

function requestsOf(urls: readonly string[], options: PurgeOptions, command: Command): PurgeRequest[] {
  const { property, wildcard, tag, all } = options
  const soft = options.soft === true
  const ways = [urls.length > 0, property !== undefined, all === true].filter(Boolean).length
  if (ways !== 1) command.error('error: needs one of: URLs, --property, --all')
  if (options.prefix === true && urls.length === 0) command.error('error: --prefix needs URLs')
  if (property === undefined && (wildcard ?? tag) !== undefined) {
    command.error('error: --wildcard and --tag need --property')
  }
  if (wildcard !== undefined && tag !== undefined) command.error('error: --wildcard or --tag, not both')
  if (all === true) return [{ all: true, soft }]
  if (property === undefined) {
    return urls.map((url) => (options.prefix === true ? { prefix: url, soft } : { url, soft }))
  }
  if (wildcard !== undefined) return [{ property, wildcard, soft }]
  return [tag === undefined ? { property, soft } : { property, tag, soft }]
}

/** Every edge that is not down; those that are hear of it when they are back. */
async function untilApplied(admin: string, id: string): Promise<void> {
  const path = `/api/v1/purges/${encodeURIComponent(id)}`
  for (let waited = 0; ; waited += LOOK_EVERY_MS) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const status = await askAdmin(admin, path, purgeStatusSchema)
    const missing = status.edges.filter(({ state, tookMs }) => tookMs === null && state !== 'down')
    if (missing.length === 0) {
      process.stdout.write(`${summaryOf(status)}\n`)
      return
    }
    if (waited >= WAIT_MS) {
      const named = missing.map((edge) => edge.id).join(', ')
      throw new Error(`not applied within ${WAIT_MS / 1000} s at: ${named}; see edgeward purge status ${id}`)
    }
    // oxlint-disable-next-line no-await-in-loop
    await wait(LOOK_EVERY_MS)
  }
}

function summaryOf({ edges }: PurgeStatus): string {
  const times = edges.flatMap(({ tookMs }) => tookMs ?? [])
  const down = edges.length - times.length
  const slowest = times.length === 0 ? '' : `, the slowest after ${Math.max(...times)} ms`
  const away = down === 0 ? '' : `; ${down} down, which will hear of it`
  return `applied at ${times.length} of ${edges.length} edges${slowest}${away}`
}

function statusLines(status: PurgeStatus): string[] {
  const { purge, atMs } = status
  const what = purge.value === '' ? purge.scope : `${purge.scope} ${purge.value}`
  const of = purge.property === null ? 'every property' : purge.property
  const rows = status.edges.map(({ id, state, tookMs }) => [
    id,
    state,
    tookMs === null ? 'not yet' : `${tookMs} ms`,
  ])
  return [
    `${purge.soft ? 'soft purge' : 'purge'} of ${of}: ${what}, at ${new Date(atMs).toISOString()}`,
    summaryOf(status),
    '',
    ...tableLines([['EDGE', 'STATE', 'APPLIED'], ...rows], new Set([2])),
  ]
}
