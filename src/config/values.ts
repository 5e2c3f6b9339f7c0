// The scalar values of the configuration: durations, sizes, rates, listen addresses, identifiers.
// Each is a zod schema from the text a person writes to the number or record the code uses. Its title is
// what the reference calls the type; its messages complete "it …".
import { z } from 'zod'
import { parseIp } from '../net/ip.ts'

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
/** Ten years. */
const DURATION_MS_MAX = 3650 * 86_400_000
const DURATION_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const SIZE = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)$/
const SIZE_BYTES: Record<string, number> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
}

const RATE = /^(\d+(?:\.\d+)?)(bit|kbit|Mbit|Gbit|Tbit)$/
const RATE_BITS: Record<string, number> = { bit: 1, kbit: 1e3, Mbit: 1e6, Gbit: 1e9, Tbit: 1e12 }

/** A text with words of its own for what it must be; missing and empty values have theirs elsewhere. */
function text(what: string) {
  return z.string({
    error: ({ input }) => (input === undefined || input === null ? undefined : `must be ${what}`),
  })
}

function unitValue(pattern: RegExp, units: Record<string, number>) {
  return (value: string): number => {
    const match = pattern.exec(value)
    return Math.round(Number(match?.[1]) * (units[match?.[2] ?? ''] ?? Number.NaN))
  }
}

const DURATION_WORDS = 'a duration such as 250ms, 30s, 5m, 1h or 7d'
const SIZE_WORDS = 'a size such as 64KiB, 2MiB, 8GiB, 2TiB or 10GB'
const RATE_WORDS = 'a rate such as 500Mbit or 10Gbit (bits a second)'
export const LISTEN_WORDS = 'an address and port such as 0.0.0.0:8080 or [::]:8080'

/** `250ms`, `30s`, `5m`, `1h`, `7d` → milliseconds. */
export const duration = text(DURATION_WORDS)
  .regex(DURATION, `must be ${DURATION_WORDS}`)
  .meta({ title: 'duration', examples: ['250ms', '30s', '1h'] })
  .transform(unitValue(DURATION, DURATION_MS))
  .refine((ms) => ms <= DURATION_MS_MAX, 'must be at most 3650d')

/** A duration that a timer waits for; Node's timers end at 24 days. */
export const wait = duration.refine((ms) => ms <= 3_600_000, 'must be at most 1h')

/** `64KiB`, `2MiB`, `10GB` → bytes, at least one. */
export const size = text(SIZE_WORDS)
  .regex(SIZE, `must be ${SIZE_WORDS}`)
  .meta({ title: 'size', examples: ['64KiB', '2MiB', '10GB'] })
  .transform(unitValue(SIZE, SIZE_BYTES))
  .refine((bytes) => bytes > 0, 'must be more than nothing')
  .refine(Number.isSafeInteger, 'must be less than 8192TiB')

/** `500Mbit`, `10Gbit` → bits a second, at least one. */
export const rate = text(RATE_WORDS)
  .regex(RATE, `must be ${RATE_WORDS}`)
  .meta({ title: 'rate', examples: ['500Mbit', '10Gbit'] })
  .transform(unitValue(RATE, RATE_BITS))
  .refine((bits) => bits > 0, 'must be more than nothing')
  .refine(Number.isSafeInteger, 'must be at most 9000Tbit')

/** Identifiers appear in URLs, file names and metric labels. */
export const identifier = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/,
    'must be 1 to 64 of a-z, 0-9, ".", "_", "-", and start and end with a letter or digit',
  )
  .meta({ title: 'identifier' })

export interface ListenAddress {
  host: string
  /** 0 takes any free port. */
  port: number
}

const LISTEN = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/
/** Only digits and dots: meant as IPv4, never a name. */
const IPV4_LIKE = /^[\d.]+$/

/** `0.0.0.0:8080`, `[::]:8080`, `localhost:0`. */
export const listenAddress = text(LISTEN_WORDS)
  .regex(LISTEN, `must be ${LISTEN_WORDS}`)
  .meta({ title: 'address and port', examples: ['0.0.0.0:8080', '[::]:8080'] })
  .transform((value): ListenAddress => {
    const match = LISTEN.exec(value)
    return { host: match?.[1] ?? match?.[2] ?? '', port: Number(match?.[3]) }
  })
  .refine((address) => address.port <= 65_535, 'must have a port from 0 to 65535')
  .refine(({ host }) => isHost(host), `must be ${LISTEN_WORDS}`)

function isHost(host: string): boolean {
  if (host.includes(':') || IPV4_LIKE.test(host)) return parseIp(host) !== undefined
  return HOST_NAME.test(host)
}

/** Checked as a network in check.ts, beside what else no schema sees. */
export const network = z
  .string()
  .meta({ title: 'IP address or network', examples: ['192.0.2.0/24', '2001:db8::/32'] })

export const ipAddress = z
  .string()
  .refine((value) => parseIp(value) !== undefined && !value.includes('%'), 'must be an IPv4 or IPv6 address')
  .meta({ title: 'IP address', examples: ['203.0.113.10', '2001:db8::10'] })

/** Beside the keys of what can be turned off. */
export const off = z.literal(false, {
  error: ({ input }) => (input === null ? undefined : 'must be false, or hold keys of its own'),
})

const URL_WORDS = 'must be an http:// or https:// URL without query, fragment or password'

/** An absolute http or https URL without query or fragment. */
export const httpUrl = z
  .string()
  .refine(isPlainHttpUrl, URL_WORDS)
  .meta({ title: 'http URL', examples: ['https://origin.example.com'] })

function isPlainHttpUrl(value: string): boolean {
  // URL would trim spaces and take `http:host`.
  if (!/^https?:\/\/[^\s?#@\\]+$/i.test(value) || !URL.canParse(value)) return false
  const url = new URL(value)
  return url.search === '' && url.hash === '' && url.username === '' && url.password === ''
}
