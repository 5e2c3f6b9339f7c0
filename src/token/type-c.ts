// `/hash/hextime/path` or `?KEY1=hash&KEY2=hextime`, with md5(key path hextime): type C of Alibaba Cloud CDN ("Type C
// signing", its formats 1 and 2) and of EdgeOne ("Authentication Method C"). Tencent Cloud CDN's TypeC page, and the
// hash in its example, have the time before the path, hence `order`; its console also offers decimal times. A `0x`
// before the time is not hashed (EdgeOne).
import { createDigestScheme, hashOf, madeMsOf, signingKey } from './digest-scheme.ts'
import type { DigestForm, DigestSettings } from './digest-scheme.ts'
import { pathOf, takeParameters, withParameters } from './query-parameter.ts'
import { DIGEST_LENGTH, asciiTarget, digest } from './signing.ts'
import type { SignOptions } from './signing.ts'
import { formatTimestamp, parseTimestamp } from './timestamp.ts'
import type { TimeFormat } from './timestamp.ts'
import type { Taken, TokenScheme } from './token.ts'

export interface TypeCSettings extends DigestSettings {
  /** Where the token stands. Default: path. */
  readonly place?: 'path' | 'query' | undefined
  /** With `place: query`. Default: KEY1. */
  readonly hashParameter?: string | undefined
  /** With `place: query`. Default: KEY2. */
  readonly timeParameter?: string | undefined
  /** Default: hex. */
  readonly timeFormat?: TimeFormat | undefined
  /** What is hashed behind the key. Default: path-time; Tencent Cloud CDN: time-path. */
  readonly order?: 'path-time' | 'time-path' | undefined
}

/** Throws `config_invalid` for settings that cannot work. */
export function createTypeC(settings: TypeCSettings): TokenScheme {
  const take = settings.place === 'query' ? takerFromQuery(parametersOf(settings)) : takerFromPath(settings)
  return createDigestScheme(settings, { name: 'type-c', take, read: readerOf(settings) })
}

export function signTypeC(settings: TypeCSettings, target: string, options: SignOptions): string {
  const names = parametersOf(settings)
  const inQuery = settings.place === 'query'
  const bare = inQuery ? takeParameters(asciiTarget(target), names).target : asciiTarget(target)
  const time = formatTimestamp(madeMsOf(settings, options), formatOf(settings))
  const hash = digest(hashOf(settings), textOf(settings, signingKey(settings), pathOf(bare), time))
  const [hashName, timeName] = names
  return inQuery ? withParameters(bare, `${hashName}=${hash}&${timeName}=${time}`) : `/${hash}/${time}${bare}`
}

/** Hash and time as two parameters; the token is both, the hash first. A time alone is no token. */
function takerFromQuery(names: readonly [hash: string, time: string]): (target: string) => Taken {
  return (given) => {
    const { target, values } = takeParameters(given, names)
    const [hash = null, time = null] = values
    // `t` may be a parameter of something else.
    return hash === null ? { target: given, token: null } : { target, token: `${hash}/${time ?? ''}` }
  }
}

function takerFromPath(settings: TypeCSettings): (target: string) => Taken {
  const digits = formatOf(settings) === 'hex' ? '(?:0[xX])?[0-9A-Za-z]{8}' : '\\d{10}'
  // Wider than the form, so that a damaged hash is a wrong token and no path of its own.
  const place = new RegExp(`^/([0-9A-Za-z]{${DIGEST_LENGTH[hashOf(settings)]}}/${digits})(?=/)`)
  return (given) => {
    const [all, token] = place.exec(given) ?? []
    return all === undefined || token === undefined
      ? { target: given, token: null }
      : { target: given.slice(all.length), token }
  }
}

const FORM = /^([0-9a-f]+)\/([0-9A-Fa-fxX]+)$/

function readerOf(settings: TypeCSettings): DigestForm['read'] {
  const format = formatOf(settings)
  return (token, path) => {
    const [, presented = '', time = ''] = FORM.exec(token) ?? []
    const madeMs = parseTimestamp(time, format)
    return madeMs === undefined
      ? undefined
      : { presented, madeMs, text: (key) => textOf(settings, key, path, time) }
  }
}

function textOf(settings: TypeCSettings, key: string, path: string, time: string): string {
  const digits = /^0[xX]/.test(time) ? time.slice(2) : time
  return settings.order === 'time-path' ? `${key}${digits}${path}` : `${key}${path}${digits}`
}

function formatOf(settings: TypeCSettings): TimeFormat {
  return settings.timeFormat ?? 'hex'
}

function parametersOf(settings: TypeCSettings): [hash: string, time: string] {
  return [settings.hashParameter ?? 'KEY1', settings.timeParameter ?? 'KEY2']
}
