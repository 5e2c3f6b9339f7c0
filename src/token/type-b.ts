// `/YYYYMMDDHHMM/hash/path`, with md5(key time path): type B of Alibaba Cloud CDN ("Type B signing"), of Tencent Cloud
// CDN and of EdgeOne ("TypeB", "Authentication Method B"). The time is when the URL was made, in UTC+8, and holds for
// the validity from then on.
import { createDigestScheme, hashOf, madeMsOf, signingKey } from './digest-scheme.ts'
import type { DigestSettings } from './digest-scheme.ts'
import { formatMinutes, parseMinutes, zoneOffsetMs } from './minute-time.ts'
import { pathOf } from './query-parameter.ts'
import { DIGEST_LENGTH, asciiTarget, digest } from './signing.ts'
import type { SignOptions } from './signing.ts'
import type { TokenScheme } from './token.ts'

export interface TypeBSettings extends DigestSettings {
  /** Of the time in the URL. Default: +08:00. */
  readonly zoneOffset?: string | undefined
}

const FORM = /^(\d{12})\/([0-9a-f]+)$/

/** Throws `config_invalid` for settings that cannot work. */
export function createTypeB(settings: TypeBSettings): TokenScheme {
  const offsetMs = offsetOf(settings)
  // Wider than the form, so that a damaged hash is a wrong token and no path of its own.
  const place = new RegExp(`^/(\\d{12}/[0-9A-Za-z]{${DIGEST_LENGTH[hashOf(settings)]}})(?=/)`)
  return createDigestScheme(settings, {
    name: 'type-b',
    take(given) {
      const [all, token] = place.exec(given) ?? []
      return all === undefined || token === undefined
        ? { target: given, token: null }
        : { target: given.slice(all.length), token }
    },
    read(token, path) {
      const [, time = '', presented = ''] = FORM.exec(token) ?? []
      const madeMs = parseMinutes(time, offsetMs)
      return madeMs === undefined ? undefined : { presented, madeMs, text: (key) => `${key}${time}${path}` }
    },
  })
}

/** The target below the token. A URL holds to the minute: an end within one is cut to its start. */
export function signTypeB(settings: TypeBSettings, target: string, options: SignOptions): string {
  const bare = asciiTarget(target)
  const time = formatMinutes(madeMsOf(settings, options), offsetOf(settings))
  const hash = digest(hashOf(settings), `${signingKey(settings)}${time}${pathOf(bare)}`)
  return `/${time}/${hash}${bare}`
}

function offsetOf(settings: TypeBSettings): number {
  return zoneOffsetMs(settings.zoneOffset ?? '+08:00')
}
