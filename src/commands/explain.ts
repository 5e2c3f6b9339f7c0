// `edgeward explain`: what becomes of a request, and why. With a configuration file: who decides whether it is allowed,
// rule by rule, and nobody is asked. Without: where a running scheduler would send the client, or with --dns what it would
// answer over DNS, with every candidate.
// Exit code 0 when the client gets what it asks for, 1 when it does not, 2 when that cannot be told.
import { Command } from 'commander'
import type { z } from 'zod'
import { systemClock } from '../clock.ts'
import { loadAnyConfig } from '../config/load.ts'
import { messageOf } from '../errors.ts'
import { decisionSchema } from '../wire/decision.ts'
import { dnsDecisionSchema } from '../wire/dns-decision.ts'
import { contentOf } from './explain/content.ts'
import { decisionPage } from './explain/decision-page.ts'
import { dnsPage, isAnswered } from './explain/dns-page.ts'
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
  readonly dns?: string
  readonly type?: string
  readonly client?: string
  readonly all?: true
  readonly json?: true
}

export function explainCommand(): Command {
  return new Command('explain')
    .description(
      'Say where a client is sent, by a redirect or by DNS, or whether a request is allowed, and why.',
    )
    .argument('[url]', 'what is asked for, such as https://shows.example.com/live/a.m3u8')
    .option('--url <url>', 'the same')
    .option('--dns <name>', 'what DNS answers for a name such as shows.cdn.example.com')
    .option('--type <type>', 'with --dns: type of record, such as HTTPS (default: A and AAAA)')
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
      const address = options.client ?? options.address
      if (options.config === undefined && options.at !== undefined) refuse(command, '--at needs --config')
      if (options.dns !== undefined) {
        if (url !== undefined) refuse(command, 'either a URL or --dns')
        return explainDns(options.dns, address, options, command)
      }
      if (options.type !== undefined) refuse(command, '--type needs --dns')
      if (url === undefined) refuse(command, 'a URL or --dns is missing')
      const inquiry = inquiryOf(url, { ...options, ...(address !== undefined && { address }) }, command)
      if (options.config === undefined) return explainSteering(url, inquiry, options, command)
      return explainAccess(options.config, inquiry, options, command)
    })
}

async function explainAccess(file: string, inquiry: Inquiry, { json }: Options, command: Command) {
  const content = contentOf(await loadAnyConfig(file, process.env))
  if (content === null) {
    refuse(
      command,
      `${file} is of an edge joined to a cluster; its properties are in the scheduler's edgeward.yaml`,
    )
  }
  const judgement = await judgeInquiry(inquiry, content)
  const text =
    json === true ? jsonOf(inquiry, judgement) : pageOf(inquiry, judgement, screenOf(process.stdout))
  process.stdout.write(text)
  if (judgement.refusal !== null) process.exitCode = 1
}

async function explainSteering(url: string, inquiry: Inquiry, options: Options, command: Command) {
  const { method, peer, fields } = inquiry
  const asked = new URLSearchParams({ url, method })
  if (peer !== '') asked.set('client', peer)
  for (const [name, value] of fields) asked.append('header', `${name}: ${value}`)
  const decision = await askFor(asked, decisionSchema, options, command)
  write(decision, decisionPage, options)
  if (decision.status >= 400) process.exitCode = 1
}

async function explainDns(dns: string, client: string | undefined, options: Options, command: Command) {
  if (options.config !== undefined) refuse(command, '--dns asks a running scheduler, not --config')
  if (client === undefined)
    refuse(command, '--dns needs --client, the address of a client or of its resolver')
  const asked = new URLSearchParams({ dns, client })
  if (options.type !== undefined) asked.set('type', options.type)
  const decision = await askFor(asked, dnsDecisionSchema, options, command)
  write(decision, dnsPage, options)
  if (!decision.answers.some(isAnswered)) process.exitCode = 1
}

/** What it cannot ask, and what it is refused, cannot be told. */
function askFor<T>(
  asked: URLSearchParams,
  schema: z.ZodType<T>,
  { admin }: Options,
  command: Command,
): Promise<T> {
  return askAdmin(admin, `/api/v1/explain?${asked.toString()}`, schema).catch((error: unknown) =>
    refuse(command, messageOf(error)),
  )
}

function write<T>(
  decision: T,
  page: (decision: T, all: boolean, screen: Screen) => string,
  { json, all }: Options,
): void {
  const text =
    json === true ? `${JSON.stringify(decision)}\n` : page(decision, all === true, screenOf(process.stdout))
  process.stdout.write(text)
}

function refuse(command: Command, message: string): never {
  return command.error(`error: ${message}`, { exitCode: 2 })
}

function inquiryOf(url: string, options: Options, command: Command) {
  try {
    return readInquiry(url, options, systemClock.now())
  } catch (error) {
    if (error instanceof InquiryError) refuse(command, error.message)
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
