// `edgeward explain`: what becomes of a request, and why. With a configuration file: who decides whether it is allowed,
// rule by rule, and nobody is asked. Without: where a running scheduler would send the client, with every candidate.
// Exit code 0 when the client gets what it asks for, 1 when it does not, 2 when that cannot be told.
import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { loadAnyConfig } from '../config/load.ts'
import { decisionSchema } from '../wire/decision.ts'
import { contentOf } from './explain/content.ts'
import { decisionPage } from './explain/decision-page.ts'
import { InquiryError, readInquiry } from '../inquiry.ts'
import type { Inquiry, InquiryOptions } from '../inquiry.ts'
import { judgeInquiry } from './explain/judgement.ts'
import { jsonOf, pageOf } from './explain/page.ts'
import type { Screen } from './explain/screen.ts'
import { adminOption, askAdmin } from './operator/admin-client.ts'

interface Options extends InquiryOptions {
  readonly config?: string
  readonly admin: string
  readonly url?: string
  readonly client?: string
  readonly all?: true
  readonly json?: true
}

export function explainCommand(): Command {
  return new Command('explain')
    .description('Say where a client would be sent, or whether a request would be allowed, and what decides.')
    .argument('[url]', 'what is asked for, such as https://shows.example.com/live/a.m3u8')
    .option('--url <url>', 'the same')
    .option('--client <ip>', 'address that the request comes from')
    .option('--address <ip>', 'the same')
    .option(
      '-c, --config <file>',
      'judge by this file, edgeward.yaml or that of a standalone edge; ask nobody',
    )
    .addOption(adminOption())
    .option('--referer <url>', 'Referer field')
    .option('--origin <origin>', 'Origin field')
    .option('--user-agent <text>', 'User-Agent field')
    .option('--method <method>', 'method', 'GET')
    .option('--header <field>', "any other field, 'Name: value'; may be repeated", collected, [])
    .option(
      '--at <time>',
      'with --config: time to judge at, such as 2026-01-01T20:00:00+08:00 (default: now)',
    )
    .option('--all', 'every site and edge, however far')
    .option('--json', 'print one JSON object')
    .action(async (argument: string | undefined, options: Options, command: Command) => {
      const url = argument ?? options.url
      if (url === undefined) return command.error('error: a URL is missing', { exitCode: 2 })
      const address = options.client ?? options.address
      const inquiry = inquiryOf(url, { ...options, ...(address !== undefined && { address }) }, command)
      if (options.config === undefined) return explainSteering(url, inquiry, options, command)
      return explainAccess(options.config, inquiry, options, command)
    })
}

async function explainAccess(file: string, inquiry: Inquiry, { json }: Options, command: Command) {
  const content = contentOf(await loadAnyConfig(file, process.env))
  if (content === null) {
    command.error(
      `error: ${file} is of an edge joined to a cluster; its properties are in the scheduler's edgeward.yaml`,
      { exitCode: 2 },
    )
  }
  const judgement = await judgeInquiry(inquiry, content)
  const text =
    json === true ? jsonOf(inquiry, judgement) : pageOf(inquiry, judgement, screenOf(process.stdout))
  process.stdout.write(text)
  if (judgement.refusal !== null) process.exitCode = 1
}

async function explainSteering(url: string, inquiry: Inquiry, options: Options, command: Command) {
  if (options.at !== undefined) command.error('error: --at needs --config', { exitCode: 2 })
  const { method, peer, fields } = inquiry
  const asked = new URLSearchParams({ url, method })
  if (peer !== '') asked.set('client', peer)
  for (const [name, value] of fields) asked.append('header', `${name}: ${value}`)
  const decision = await askAdmin(options.admin, `/api/v1/explain?${asked.toString()}`, decisionSchema)
  const text =
    options.json === true
      ? `${JSON.stringify(decision)}\n`
      : decisionPage(decision, options.all === true, screenOf(process.stdout))
  process.stdout.write(text)
  if (decision.status >= 400) process.exitCode = 1
}

function inquiryOf(url: string, options: Options, command: Command) {
  try {
    return readInquiry(url, options, systemClock.now())
  } catch (error) {
    if (error instanceof InquiryError) command.error(`error: ${error.message}`, { exitCode: 2 })
    throw error
  }
}

/** Plain text when it is no terminal. */
function screenOf(stream: NodeJS.WriteStream): Screen {
  return { columns: stream.columns, colours: stream.isTTY && stream.hasColors() }
}

function collected(value: string, earlier: string[]): string[] {
  return [...earlier, value]
}
