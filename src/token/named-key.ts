// Keys of the schemes whose tokens name their algorithm (uri-signing, cat): from the text of the configuration to key
// objects. A key is good for the algorithm it is configured with and no other, whatever a token says.
import { createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto'
import type { JsonWebKeyInput, KeyObject } from 'node:crypto'

/** JOSE names; `HS256/64`, an HMAC cut to 64 bits, is one of COSE only (RFC 9053 §3.1). */
export type KeyAlgorithm =
  | 'HS256'
  | 'HS256/64'
  | 'HS384'
  | 'HS512'
  | 'ES256'
  | 'ES384'
  | 'PS256'
  | 'RS256'
  | 'EdDSA'

export interface NamedKey {
  readonly id?: string | undefined
  readonly algorithm: KeyAlgorithm
  /** Of an HMAC: base64url after `base64url:`, else the text itself. Of any other, to sign with: private PEM or JWK. */
  readonly secret?: string | undefined
  /** PEM or JWK; left out where `secret` holds the private key. */
  readonly public?: string | undefined
}

export interface LiveKey {
  /** null: for tokens with any `kid`, or none. */
  readonly id: string | null
  readonly algorithm: KeyAlgorithm
  readonly verifying: KeyObject
  /** null: it verifies only. */
  readonly signing: KeyObject | null
}

/** RSA keys below this are refused (RFC 7518 §3.3). */
const RSA_BITS_MIN = 2048
/** Keys that are tried for one token. */
export const KEYS_MAX = 16

const CURVES: Readonly<Record<string, string>> = { ES256: 'prime256v1', ES384: 'secp384r1' }

/** Throws an Error that says what is wrong, never what the key is. */
export function liveKey(key: NamedKey): LiveKey {
  const id = key.id ?? null
  if (key.algorithm.startsWith('HS')) {
    if (key.secret === undefined) throw new Error(`a key for ${key.algorithm} needs a secret`)
    const secret = secretKey(key.secret)
    return { id, algorithm: key.algorithm, verifying: secret, signing: secret }
  }
  const signing = key.secret === undefined ? null : privateKey(key.secret)
  const verifying = key.public === undefined ? derived(signing, key.algorithm) : publicKey(key.public)
  for (const half of signing === null ? [verifying] : [verifying, signing]) checkKind(half, key.algorithm)
  return { id, algorithm: key.algorithm, verifying, signing }
}

/** What is wrong with it, in words; undefined when nothing is. */
export function keyProblem(key: NamedKey): string | undefined {
  try {
    liveKey(key)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : 'cannot be read'
  }
}

/** Of an HMAC or an encryption; also for `decryptionKey`. */
export function secretBytes(text: string): Buffer {
  if (!text.startsWith(BASE64URL)) return Buffer.from(text)
  const encoded = text.slice(BASE64URL.length)
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(encoded)) throw new Error('the secret is not base64url')
  return Buffer.from(encoded, 'base64url')
}

/** Those that may have made a token, most specific first. */
export function keysFor(keys: readonly LiveKey[], algorithm: string, kid: string | null): LiveKey[] {
  const able = keys.filter((key) => key.algorithm === algorithm)
  if (kid === null) return able
  return [...able.filter((key) => key.id === kid), ...able.filter((key) => key.id === null)]
}

/** The configured one, else the first key that can sign. Throws when there is none. */
export function signingKeyOf(signing: NamedKey | undefined, keys: readonly NamedKey[]): LiveKey {
  const able = (signing === undefined ? keys : [signing]).map(liveKey).find((key) => key.signing !== null)
  if (able === undefined) throw new Error('there is no key to sign with: only public keys are configured')
  return able
}

const BASE64URL = 'base64url:'

function secretKey(text: string): KeyObject {
  const bytes = secretBytes(text)
  if (bytes.length === 0) throw new Error('the secret is empty')
  return createSecretKey(bytes)
}

function privateKey(text: string): KeyObject {
  try {
    return text.trimStart().startsWith('{')
      ? createPrivateKey({ key: jwk(text), format: 'jwk' })
      : createPrivateKey(text)
  } catch {
    throw new Error('the private key is neither PEM nor JWK')
  }
}

function publicKey(text: string): KeyObject {
  try {
    return text.trimStart().startsWith('{')
      ? createPublicKey({ key: jwk(text), format: 'jwk' })
      : createPublicKey(text)
  } catch {
    throw new Error('the public key is neither PEM nor JWK')
  }
}

function jwk(text: string): JsonWebKeyInput['key'] {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null) throw new Error('not an object')
  return { ...value }
}

function derived(signing: KeyObject | null, algorithm: string): KeyObject {
  if (signing === null) throw new Error(`a key for ${algorithm} needs a public key`)
  return createPublicKey(signing)
}

function checkKind(key: KeyObject, algorithm: KeyAlgorithm): void {
  const details = key.asymmetricKeyDetails
  if (algorithm === 'EdDSA') {
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('a key for EdDSA must be of Ed25519')
    return
  }
  const curve = CURVES[algorithm]
  if (curve !== undefined) {
    if (key.asymmetricKeyType !== 'ec' || details?.namedCurve !== curve)
      throw new Error(`a key for ${algorithm} must be of the curve ${curve}`)
    return
  }
  if (key.asymmetricKeyType !== 'rsa') throw new Error(`a key for ${algorithm} must be of RSA`)
  if ((details?.modulusLength ?? 0) < RSA_BITS_MIN)
    throw new Error(`a key for ${algorithm} must have at least ${RSA_BITS_MIN} bits`)
}
