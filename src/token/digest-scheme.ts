// What types A to D have in common: a hash over key, path and the time that the URL was made, valid for a configured
// while from then on. Each type's own file says where hash and time stand and in which order they are hashed.
//
// The path is hashed as the client sent it, percent-encoding and all: Alibaba Cloud has URLs encoded before they are
// signed ("URL signing examples"), Tencent Cloud takes none with characters that need it. The query is not signed.
import { normalisePath } from '../http/normal-path.ts'
import { matchesAny } from './constant-time.ts'
import { pathOf } from './query-parameter.ts'
import { VALIDITY_DEFAULT_MS, digest, keyTexts, settingsError } from './signing.ts'
import type { DigestName, SignOptions } from './signing.ts'
import { TARGET_ONLY } from './token.ts'
import type { Taken, TokenQuery, TokenScheme } from './token.ts'

export interface DigestSettings {
  /** Any of them verifies, the first signs. */
  readonly keys: readonly string[]
  /** From the time in the URL. Default: 30 minutes. */
  readonly validityMs?: number | undefined
  /** Default: md5. */
  readonly hash?: DigestName | undefined
}

/** A token of the right form. */
export interface ReadToken {
  readonly presented: string
  /** When the URL was made, in milliseconds since the epoch. */
  readonly madeMs: number
  /** What is hashed with this key. */
  text(key: string): string
}

export interface DigestForm {
  readonly name: string
  take(target: string): Taken
  /** undefined: not of the form. */
  read(token: string, path: string): ReadToken | undefined
}

/** Throws `config_invalid` for settings that cannot work. */
export function createDigestScheme(settings: DigestSettings, form: DigestForm): TokenScheme {
  const keys = keyTexts(settings.keys)
  const validityMs = validityOf(settings)
  const hash = hashOf(settings)
  return {
    name: form.name,
    carriers: TARGET_ONLY,
    statuses: {},
    take: (query: TokenQuery) => form.take(query.target),
    nameOf: (token, taken) => `${token} ${pathOf(taken.target)}`,
    authenticate(token, taken) {
      const path = pathOf(taken.target)
      const read = form.read(token, path)
      if (read === undefined) return 'token_malformed'
      if (!matchesAny(read.presented, keys, (key) => digest(hash, read.text(key)))) return 'token_wrong'
      const resource = normalisePath(path)
      return {
        startsMs: null,
        expiresMs: read.madeMs + validityMs,
        address: null,
        covers: (target) => resource !== null && normalisePath(pathOf(target)) === resource,
      }
    },
  }
}

export function hashOf(settings: DigestSettings): DigestName {
  return settings.hash ?? 'md5'
}

/** The time to write into a URL that is to end when the options say. Throws for an address: no type holds one. */
export function madeMsOf(settings: DigestSettings, options: SignOptions): number {
  if (options.address !== undefined) throw new RangeError('such a token cannot be for one address')
  return options.expiresMs === undefined ? options.nowMs : options.expiresMs - validityOf(settings)
}

/** The key that signs, as text to hash. */
export function signingKey(settings: DigestSettings): string {
  return keyTexts(settings.keys)[0] ?? ''
}

function validityOf(settings: DigestSettings): number {
  const validityMs = settings.validityMs ?? VALIDITY_DEFAULT_MS
  if (!Number.isSafeInteger(validityMs) || validityMs < 0) {
    throw settingsError('the validity of a token scheme is not a number of milliseconds')
  }
  return validityMs
}
