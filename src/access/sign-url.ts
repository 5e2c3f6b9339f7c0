// Signs a URL as the property's tokens ask for it: what an owner's own site does, for tests and for a person on call.
import type { TokenSettings } from '../config/token-schema.ts'
import { signCat } from '../token/cat.ts'
import { CLAIM, catNetworks } from '../token/cat-claims.ts'
import type { CborKey, Cbor } from '../token/cbor.ts'
import { signHdnts } from '../token/hdnts.ts'
import { signSecureLink } from '../token/secure-link.ts'
import type { SignOptions } from '../token/signing.ts'
import { signTypeA } from '../token/type-a.ts'
import { signTypeB } from '../token/type-b.ts'
import { signTypeC } from '../token/type-c.ts'
import { signTypeD } from '../token/type-d.ts'
import { hashContainer } from '../token/uri-container.ts'
import { signUriSigning } from '../token/uri-signing.ts'

export interface SignUrlOptions extends SignOptions {
  /** Scheme and authority that players ask. */
  readonly origin: string
  /** For hdnts: paths with `*`. Left out: this path alone. */
  readonly acl?: string | undefined
}

/** How long a URL holds whose scheme has no length of its own, and whose signer says none. */
const VALIDITY_MS = 1_800_000
/** CTA-5007: of `catu`, the component `path`; of a match, that it is the same. */
const CAT_PATH = 3
const CAT_EXACT = 0

/** `target` is inside the property, without token. Throws an Error when the scheme cannot say what is asked for. */
export async function signUrlTarget(
  settings: TokenSettings,
  target: string,
  options: SignUrlOptions,
): Promise<string> {
  switch (settings.scheme) {
    case 'type-a':
      return signTypeA({ ...settings, validityMs: settings.validity }, target, options)
    case 'type-b':
      return signTypeB({ ...settings, validityMs: settings.validity }, target, options)
    case 'type-c':
      return signTypeC({ ...settings, validityMs: settings.validity }, target, options)
    case 'type-d':
      return signTypeD({ ...settings, validityMs: settings.validity }, target, options)
    case 'secure-link': {
      const url = new URL(options.origin)
      const scheme = url.protocol === 'https:' ? 'https' : 'http'
      return signSecureLink(settings, target, { ...options, host: url.host, scheme })
    }
    case 'hdnts':
      return signHdnts(settings, target, options)
    case 'uri-signing':
      return withParameter(target, settings.parameter, await uriSigningToken(settings, target, options))
    case 'cat':
    default:
      return withParameter(target, settings.parameter, catToken(settings, target, options))
  }
}

function uriSigningToken(
  settings: Extract<TokenSettings, { scheme: 'uri-signing' }>,
  target: string,
  options: SignUrlOptions,
): Promise<string> {
  if (options.address !== undefined)
    throw new Error('uri-signing binds to an address by an encrypted claim, which is not made here')
  const container = hashContainer(`${options.origin}${target}`)
  if (container === null) throw new Error('the URL is not one that can be signed')
  const [issuer] = settings.issuers
  return signUriSigning(settings, {
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(settings.audience === undefined ? {} : { aud: settings.audience }),
    exp: secondsOf(options),
    cdniv: 1,
    cdniuc: container,
  })
}

function catToken(
  settings: Extract<TokenSettings, { scheme: 'cat' }>,
  target: string,
  options: SignUrlOptions,
): string {
  const [path = ''] = target.split('?', 1)
  const claims = new Map<CborKey, Cbor>([
    [CLAIM.exp, secondsOf(options)],
    [CLAIM.catu, new Map([[CAT_PATH, new Map([[CAT_EXACT, path]])]])],
  ])
  const [issuer] = settings.issuers
  if (issuer !== undefined) claims.set(CLAIM.iss, issuer)
  if (settings.audience !== undefined) claims.set(CLAIM.aud, settings.audience)
  const networks = options.address === undefined ? null : catNetworks([options.address])
  if (options.address !== undefined && networks === null) throw new Error('the address cannot be written')
  if (networks !== null) claims.set(CLAIM.catnip, networks)
  return signCat(settings, claims)
}

function secondsOf({ nowMs, expiresMs = nowMs + VALIDITY_MS }: SignUrlOptions): number {
  return Math.floor(expiresMs / 1000)
}

function withParameter(target: string, name: string, token: string): string {
  return `${target}${target.includes('?') ? '&' : '?'}${name}=${token}`
}
