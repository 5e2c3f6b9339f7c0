// The scalar values of the configuration: durations, sizes, rates, listen addresses, identifiers.
// Each is a zod schema from the text a person writes to the number or record the code uses.
import { z } from 'zod'

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
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

function unitValue(pattern: RegExp, units: Record<string, number>) {
  return (text: string): number => {
    const match = pattern.exec(text)
    return Math.round(Number(match?.[1]) * (units[match?.[2] ?? ''] ?? Number.NaN))
  }
}

/** `250ms`, `30s`, `5m`, `1h`, `7d` → milliseconds. */
export const duration = z
  .string({ error: 'must be a duration such as 30s' })
  .regex(DURATION, 'must be a duration such as 250ms, 30s, 5m, 1h or 7d')
  .transform(unitValue(DURATION, DURATION_MS))

/** `64KiB`, `2MiB`, `10GB` → bytes. */
export const size = z
  .string({ error: 'must be a size such as 2MiB' })
  .regex(SIZE, 'must be a size such as 64KiB, 2MiB, 8GiB, 2TiB or 10GB')
  .transform(unitValue(SIZE, SIZE_BYTES))

/** `500Mbit`, `10Gbit` → bits a second. */
export const rate = z
  .string({ error: 'must be a rate such as 10Gbit' })
  .regex(RATE, 'must be a rate such as 500Mbit or 10Gbit (bits a second)')
  .transform(unitValue(RATE, RATE_BITS))

/** Identifiers appear in URLs, file names and metric labels. */
export const identifier = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/,
    'must be 1 to 64 of a-z, 0-9, ".", "_", "-", and start and end with a letter or digit',
  )

export interface ListenAddress {
  host: string
  /** 0 takes any free port. */
  port: number
}

const LISTEN = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/

/** `0.0.0.0:8080`, `[::]:8080`, `localhost:0`. */
export const listenAddress = z
  .string({ error: 'must be an address and port such as 0.0.0.0:8080' })
  .regex(LISTEN, 'must be an address and port such as 0.0.0.0:8080 or [::]:8080')
  .transform((text): ListenAddress => {
    const match = LISTEN.exec(text)
    return { host: match?.[1] ?? match?.[2] ?? '', port: Number(match?.[3]) }
  })
  .refine((address) => address.port <= 65_535, 'port must be at most 65535')

/** An absolute http or https URL without query or fragment. */
export const httpUrl = z
  .string()
  .refine(isPlainHttpUrl, 'must be an http:// or https:// URL without query, fragment or password')

function isPlainHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  const scheme = url.protocol === 'http:' || url.protocol === 'https:'
  return scheme && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
}
