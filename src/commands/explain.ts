// `edgeward explain URL`: who decides about a request, and how. Reads a configuration file and nothing else: no
// daemon is asked. Exit code 0 when the request is allowed, 1 when it is denied, 2 when it cannot be judged.
import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { loadAnyConfig } from '../config/load.ts'
import { contentOf } from './explain/content.ts'
import { InquiryError, readInquiry } from './explain/inquiry.ts'
import type { InquiryOptions } from './explain/inquiry.ts'
import { judgeInquiry } from './explain/judgement.ts'
import { jsonOf, pageOf } from './explain/page.ts'
import type { Screen } from './explain/page.ts'

interface Options extends InquiryOptions {
  readonly config: string
  readonly json?: true
}

export function explainCommand(): Command {
  return new Command('explain')
    .description('Say whether a request would be allowed, and what decides.')
    .argument('<url>', 'what is asked for, such as https://shows.example.com/live/a.m3u8')
    .requiredOption('-c, --config <file>', 'edgeward.yaml, or the edge.yaml of a standalone edge')
    .option('--address <ip>', 'address that the request comes from')
    .option('--referer <url>', 'Referer field')
    .option('--origin <origin>', 'Origin field')
    .option('--user-agent <text>', 'User-Agent field')
    .option('--method <method>', 'method', 'GET')
    .option('--header <field>', "any other field, 'Name: value'; may be repeated", collected, [])
    .option('--at <time>', 'time to judge at, such as 2026-01-01T20:00:00+08:00 (default: now)')
    .option('--json', 'print one JSON object')
    .action(async (url: string, options: Options, command: Command) => {
      const inquiry = inquiryOf(url, options, command)
      const content = contentOf(await loadAnyConfig(options.config, process.env))
      if (content === null) {
        command.error(
          `error: ${options.config} is of an edge joined to a cluster; its properties are in the scheduler's edgeward.yaml`,
          { exitCode: 2 },
        )
      }
      const judgement = await judgeInquiry(inquiry, content)
      const text =
        options.json === true
          ? jsonOf(inquiry, judgement)
          : pageOf(inquiry, judgement, screenOf(process.stdout))
      process.stdout.write(text)
      if (judgement.refusal !== null) process.exitCode = 1
    })
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
