// `edgeward sign URL`: the URL with a token of its property's scheme, signed with the first live key.
import { Command } from 'commander'
import { signUrlTarget } from '../access/sign-url.ts'
import { systemClock } from '../clock.ts'
import { loadAnyConfig } from '../config/load.ts'
import type { PropertySettings } from '../config/property-schema.ts'
import { duration } from '../config/values.ts'
import { messageOf } from '../errors.ts'
import { formatIp, parseIp } from '../net/ip.ts'
import { buildPropertyIndex, splitPrefix } from '../property-index.ts'

interface Options {
  readonly config: string
  readonly property?: string
  readonly for?: string
  readonly address?: string
  readonly acl?: string
}

const URL_FORM = /^(https?:\/\/[^\s/?#@\\]+)(\/[^\s#]*)?$/i

export function signCommand(): Command {
  return new Command('sign')
    .description('Sign a URL with the token that its property asks for.')
    .argument('<url>', 'URL to sign, such as https://shows.example.com/ep1/main.m3u8')
    .requiredOption('-c, --config <file>', 'edgeward.yaml, or the edge.yaml of a standalone edge')
    .option('--property <id>', 'property; left out: told by the URL')
    .option('--for <duration>', 'how long it holds, such as 30m (default: as the property says, or 30m)')
    .option('--address <ip>', 'only for this client, where the scheme can say so')
    .option('--acl <paths>', 'scheme hdnts: paths with *, such as /ep1/*')
    .action(async (url: string, options: Options, command: Command) => {
      const fail = (message: string): never => command.error(`error: ${message}`, { exitCode: 2 })
      process.stdout.write(`${await signed(url, options, fail)}\n`)
    })
}

async function signed(url: string, options: Options, fail: Fail): Promise<string> {
  const properties = await propertiesOf(options.config, fail)
  const [, origin, target = '/'] = URL_FORM.exec(url) ?? []
  if (origin === undefined) return fail('the URL must be like https://shows.example.com/ep1/main.m3u8')
  const index = buildPropertyIndex(properties)
  const { propertyId, path } = splitPrefix(target)
  const id = options.property ?? propertyId
  const property = id === undefined ? index.findByHost(new URL(origin).host) : index.findById(id)
  if (property === undefined)
    return fail(`no property of ${options.config} fits this URL; name one by --property`)
  const { tokens } = property.access
  if (tokens === undefined) return fail(`property ${property.id} asks for no token`)
  const now = systemClock.now()
  const inside = propertyId === undefined ? target : path
  const made = await signUrlTarget(tokens, inside, {
    nowMs: now,
    expiresMs: options.for === undefined ? undefined : now + durationOf(options.for, fail),
    address: options.address === undefined ? undefined : addressOf(options.address, fail),
    acl: options.acl,
    origin,
  }).catch((error: unknown) => fail(messageOf(error)))
  return origin + (propertyId === undefined ? '' : `/~${propertyId}`) + made
}

async function propertiesOf(file: string, fail: Fail): Promise<readonly PropertySettings[]> {
  const config = await loadAnyConfig(file, process.env)
  if (config.kind === 'edge' && config.mode === 'joined')
    return fail(`${file} is of an edge joined to a cluster; use the scheduler's edgeward.yaml`)
  return config.settings.properties
}

type Fail = (message: string) => never

function durationOf(text: string, fail: Fail): number {
  const parsed = duration.safeParse(text)
  return parsed.success ? parsed.data : fail('--for must be a duration such as 30m or 12h')
}

function addressOf(text: string, fail: Fail): string {
  const ip = parseIp(text)
  return ip === undefined ? fail('--address must be an IP address such as 203.0.113.9') : formatIp(ip)
}
