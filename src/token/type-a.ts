// `?auth_key=time-random-user-hash`, with md5(path-time-random-user-key): type A of Alibaba Cloud CDN ("Type A
// signing"), of Tencent Cloud CDN and EdgeOne ("TypeA", "Authentication Method A", there called `sign` by default)
// and of Huawei Cloud CDN. The time is when the URL was made; it holds until time + validity. Vendors that let an
// owner put the time into the future mean the same sum.
import { createDigestScheme, hashOf, madeMsOf, signingKey } from './digest-scheme.ts'
import type { DigestSettings } from './digest-scheme.ts'
import { pathOf, takeParameters, withParameters } from './query-parameter.ts'
import { asciiTarget, digest } from './signing.ts'
import type { SignOptions } from './signing.ts'
import { formatTimestamp, parseTimestamp } from './timestamp.ts'
import type { TokenScheme } from './token.ts'

export interface TypeASettings extends DigestSettings {
  /** Query parameter. Default: auth_key; Tencent Cloud's is `sign`. */
  readonly parameter?: string | undefined
}

export interface TypeASignOptions extends SignOptions {
  /** Makes URLs of one moment differ. Up to 128 characters that a query may hold, no hyphen. Default: 0. */
  readonly random?: string | undefined
  /** Vendors do not use it. As `random`. Default: 0. */
  readonly uid?: string | undefined
}

/**
 * Hyphens part the fields, and a path may hold some too: were one allowed in `random` or `user`, the URL for `/a-1`
 * could be cut elsewhere and be one for `/a`.
 */
const FORM = /^(\d+)-([^-&]{0,128})-([^-&]{0,128})-([0-9a-f]+)$/
const FIELD = /^[A-Za-z0-9._~!$'()*,;:@/?%]{0,128}$/

/** Throws `config_invalid` for settings that cannot work. */
export function createTypeA(settings: TypeASettings): TokenScheme {
  const names = [parameterOf(settings)]
  return createDigestScheme(settings, {
    name: 'type-a',
    take(given) {
      const { target, values } = takeParameters(given, names)
      return { target, token: values[0] ?? null }
    },
    read(token, path) {
      const [, time = '', random = '', uid = '', presented = ''] = FORM.exec(token) ?? []
      const madeMs = parseTimestamp(time, 'decimal')
      if (madeMs === undefined) return undefined
      return { presented, madeMs, text: (key) => textOf(path, time, random, uid, key) }
    },
  })
}

/** The target with the token behind its other parameters. Throws for options that cannot be written. */
export function signTypeA(settings: TypeASettings, target: string, options: TypeASignOptions): string {
  const { random = '0', uid = '0' } = options
  if (!FIELD.test(random) || !FIELD.test(uid)) throw new RangeError('random or uid cannot stand in a token')
  const parameter = parameterOf(settings)
  const bare = takeParameters(asciiTarget(target), [parameter]).target
  const time = formatTimestamp(madeMsOf(settings, options), 'decimal')
  const hash = digest(hashOf(settings), textOf(pathOf(bare), time, random, uid, signingKey(settings)))
  return withParameters(bare, `${parameter}=${time}-${random}-${uid}-${hash}`)
}

function textOf(path: string, time: string, random: string, uid: string, key: string): string {
  return `${path}-${time}-${random}-${uid}-${key}`
}

function parameterOf(settings: TypeASettings): string {
  return settings.parameter ?? 'auth_key'
}
