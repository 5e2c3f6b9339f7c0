// `?sign=hash&t=time`, with md5(key path time): type D of Tencent Cloud CDN ("TypeD") and of EdgeOne ("Authentication
// Method D"), and with other parameter names Alibaba Cloud CDN's type F. It is type C in a query, with a decimal time
// unless said otherwise.
import { createTypeC, signTypeC } from './type-c.ts'
import type { TypeCSettings } from './type-c.ts'
import type { DigestSettings } from './digest-scheme.ts'
import type { SignOptions } from './signing.ts'
import type { TimeFormat } from './timestamp.ts'
import type { TokenScheme } from './token.ts'

export interface TypeDSettings extends DigestSettings {
  /** Default: sign. */
  readonly hashParameter?: string | undefined
  /** Default: t. */
  readonly timeParameter?: string | undefined
  /** Default: decimal. */
  readonly timeFormat?: TimeFormat | undefined
}

/** Throws `config_invalid` for settings that cannot work. */
export function createTypeD(settings: TypeDSettings): TokenScheme {
  return { ...createTypeC(asTypeC(settings)), name: 'type-d' }
}

export function signTypeD(settings: TypeDSettings, target: string, options: SignOptions): string {
  return signTypeC(asTypeC(settings), target, options)
}

function asTypeC(settings: TypeDSettings): TypeCSettings {
  return {
    keys: settings.keys,
    validityMs: settings.validityMs,
    hash: settings.hash,
    place: 'query',
    hashParameter: settings.hashParameter ?? 'sign',
    timeParameter: settings.timeParameter ?? 't',
    timeFormat: settings.timeFormat ?? 'decimal',
  }
}
