// `edgeward prefetch`: content that edges fetch before anybody asks for it, and how far they are. Exit code 1 when it was
// waited for and something failed.
import { open } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { Readable } from 'node:stream'
import { Command } from 'commander'
import { z } from 'zod'
import { prefetchWindow, renditions } from '../config/prefetch-values.ts'
import { rate } from '../config/values.ts'
import { messageOf } from '../errors.ts'
import { prefetchListSchema, prefetchReplySchema, prefetchStatusSchema } from '../wire/prefetch.ts'
import type { PrefetchStatus } from '../wire/prefetch.ts'
import { adminOption, askAdmin } from './operator/admin-client.ts'
import { failedOf, listLines, statusLines, summaryOf } from './prefetch/page.ts'

interface PrefetchOptions {
  admin: string
  sites?: string
  rate?: string
  window?: string
  renditions?: string
  file?: string
  wait?: true
}

const LOOK_EVERY_MS = 1000
/** For a list to be sent and taken in: as long as the scheduler waits for one. */
const LIST_MS = 600_000

export function prefetchCommand(): Command {
  const command = new Command('prefetch')
    .description('Have edges fetch content before anybody asks for it: URLs, and all that playlists name.')
    .argument('[urls...]', 'whole URLs, as clients ask for them; - for a list on standard input')
    .option('--file <path>', 'a list of URLs, one a line')
    .option('--sites <ids>', 'only to edges of these sites, apart by commas')
    .option('--rate <rate>', 'what all edges together may fetch, such as 200Mbit')
    .option('--window <hours>', 'hours of the day, of UTC or a time zone: 01:00-05:00 Asia/Shanghai')
    .option('--renditions <which>', 'all, highest, lowest, or up to a bound: 720p, 3Mbit')
    .option('--wait', 'until every edge that lives is done')
    .addOption(adminOption())
    .action(async (urls: string[], options: PrefetchOptions) => {
      const path = `/api/v1/prefetches?${queryOf(options, command).toString()}`
      const list = await listOf(urls, options, command)
      const reply = await askAdmin(options.admin, path, prefetchReplySchema, {
        method: 'POST',
        list,
        timeoutMs: LIST_MS,
      })
      process.stdout.write(`${reply.id}\n`)
      if (options.wait === true) await untilDone(options.admin, reply.id)
    })
  command.addCommand(statusCommand())
  command.addCommand(listCommand())
  command.addCommand(cancelCommand())
  return command
}

function statusCommand(): Command {
  return new Command('status')
    .description('How far a prefetch is, at each edge, and what has failed.')
    .argument('<id>', 'as `edgeward prefetch` printed it')
    .option('--json', 'print one JSON object')
    .addOption(adminOption())
    .exitOverride()
    .action(async (id: string, { json }: { json?: true }, command: Command) => {
      const status = await askStatus(adminOf(command), id)
      const text = json === true ? JSON.stringify(status) : statusLines(status).join('\n')
      process.stdout.write(`${text}\n`)
    })
}

function listCommand(): Command {
  return new Command('list')
    .description('Prefetches that are under way or over, and what is kept warm.')
    .option('--json', 'print one JSON object')
    .addOption(adminOption())
    .exitOverride()
    .action(async ({ json }: { json?: true }, command: Command) => {
      const list = await askAdmin(adminOf(command), '/api/v1/prefetches', prefetchListSchema)
      const text = json === true ? JSON.stringify(list) : listLines(list).join('\n')
      process.stdout.write(`${text}\n`)
    })
}

function cancelCommand(): Command {
  return new Command('cancel')
    .description('End a prefetch; what edges have fetched stays.')
    .argument('<id>', 'as `edgeward prefetch` printed it')
    .addOption(adminOption())
    .exitOverride()
    .action(async (id: string, _options: unknown, command: Command) => {
      const path = `/api/v1/prefetches/${encodeURIComponent(id)}`
      await askAdmin(adminOf(command), path, z.object({ id: z.string() }), { method: 'DELETE' })
      process.stdout.write(`${id}: cancelled\n`)
    })
}

/** `prefetch` has the option too, and takes it wherever it stands. */
function adminOf(command: Command): string {
  return command.optsWithGlobals<{ admin: string }>().admin
}

/** Judged here already, so that what is wrong with it is a matter of usage. */
function queryOf(options: PrefetchOptions, command: Command): URLSearchParams {
  const query = new URLSearchParams()
  const schemas = { sites: z.string().min(1), rate, window: prefetchWindow, renditions }
  for (const name of ['sites', 'rate', 'window', 'renditions'] as const) {
    const given = options[name]
    if (given === undefined) continue
    const parsed = schemas[name].safeParse(given)
    if (!parsed.success) command.error(`error: --${name} ${parsed.error.issues[0]?.message ?? ''}`)
    query.set(name, given)
  }
  return query
}

/** Sent as it is read: a library's list need not fit in memory. */
async function listOf(
  urls: readonly string[],
  { file }: PrefetchOptions,
  command: Command,
): Promise<Readable> {
  const isInput = urls.length === 1 && urls[0] === '-'
  if (file !== undefined && urls.length > 0) command.error('error: URLs or --file, not both')
  if (isInput) return process.stdin
  if (file === undefined) {
    if (urls.length === 0) command.error('error: needs URLs, --file or -')
    return Readable.from([Buffer.from(urls.join('\n'))])
  }
  try {
    return (await open(file)).createReadStream()
  } catch (error) {
    return command.error(`error: ${file} cannot be read: ${messageOf(error)}`)
  }
}

function askStatus(admin: string, id: string): Promise<PrefetchStatus> {
  return askAdmin(admin, `/api/v1/prefetches/${encodeURIComponent(id)}`, prefetchStatusSchema)
}

/** Every edge that is not down; those that are get their part when they are back. */
async function untilDone(admin: string, id: string): Promise<void> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const status = await askStatus(admin, id)
    const missing = status.edges.filter(
      ({ progress, health }) => progress?.state !== 'done' && health !== 'down' && health !== 'removed',
    )
    if (status.state === 'cancelled' || missing.length === 0) {
      process.stdout.write(`${summaryOf(status)}\n`)
      const failed = failedOf(status)
      process.stdout.write(failed.map((line) => `${line}\n`).join(''))
      if (status.state === 'cancelled' || failed.length > 0) process.exitCode = 1
      return
    }
    if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${summaryOf(status)}`)
    // oxlint-disable-next-line no-await-in-loop
    await wait(LOOK_EVERY_MS)
    if (process.stderr.isTTY) process.stderr.write('\r\u001B[K')
  }
}
