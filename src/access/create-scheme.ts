// From the settings of a property's tokens to their scheme.
import type { TokenSettings } from '../config/token-schema.ts'
import { cat } from '../token/cat.ts'
import { createHdnts } from '../token/hdnts.ts'
import { createSecureLink } from '../token/secure-link.ts'
import type { TokenScheme } from '../token/token.ts'
import { createTypeA } from '../token/type-a.ts'
import { createTypeB } from '../token/type-b.ts'
import { createTypeC } from '../token/type-c.ts'
import { createTypeD } from '../token/type-d.ts'
import { uriSigning } from '../token/uri-signing.ts'

/** `hosts`: of the property, by which its URLs may be signed. Throws an Error for settings that cannot work. */
export function createScheme(settings: TokenSettings, hosts: readonly string[]): TokenScheme {
  switch (settings.scheme) {
    case 'type-a':
      return createTypeA({ ...settings, validityMs: settings.validity })
    case 'type-b':
      return createTypeB({ ...settings, validityMs: settings.validity })
    case 'type-c':
      return createTypeC({ ...settings, validityMs: settings.validity })
    case 'type-d':
      return createTypeD({ ...settings, validityMs: settings.validity })
    case 'secure-link':
      return createSecureLink(settings)
    case 'hdnts':
      return createHdnts(settings)
    case 'uri-signing':
      return uriSigning({ ...settings, hosts })
    case 'cat':
    default:
      return cat({ ...settings, hosts })
  }
}
