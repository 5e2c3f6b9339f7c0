// COSE messages with one signature or one MAC (RFC 9052 §4.2, §6.2; algorithms of RFC 9053), over node:crypto. The
// algorithm must stand in the protected header, and must be the one of the key.
import { constants, createHmac, sign, timingSafeEqual, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { decodeCbor, encodeCbor, isMap, isTag } from './cbor.ts'
import type { Cbor, CborKey } from './cbor.ts'
import { keysFor } from './named-key.ts'
import type { KeyAlgorithm, LiveKey } from './named-key.ts'
import type { TokenRefusal } from './token.ts'

/** RFC 8392 §6; may be in front of the message's own tag. */
const TAG_CWT = 61
const TAG_SIGN1 = 18
const TAG_MAC0 = 17

const HEADER_ALG = 1
const HEADER_CRIT = 2
const HEADER_KID = 4

interface Algorithm {
  readonly id: number
  readonly hash: string | null
  /** Bytes of the MAC; null: a signature. */
  readonly macBytes: number | null
  /** r and s, one after the other. */
  readonly curve?: true
  readonly pss?: true
}

/** IANA's COSE Algorithms. */
const ALGORITHMS: Readonly<Record<KeyAlgorithm, Algorithm>> = {
  'HS256/64': { id: 4, hash: 'sha256', macBytes: 8 },
  HS256: { id: 5, hash: 'sha256', macBytes: 32 },
  HS384: { id: 6, hash: 'sha384', macBytes: 48 },
  HS512: { id: 7, hash: 'sha512', macBytes: 64 },
  ES256: { id: -7, hash: 'sha256', macBytes: null, curve: true },
  ES384: { id: -35, hash: 'sha384', macBytes: null, curve: true },
  EdDSA: { id: -8, hash: null, macBytes: null },
  PS256: { id: -37, hash: 'sha256', macBytes: null, pss: true },
  RS256: { id: -257, hash: 'sha256', macBytes: null },
}

/** The payload of an authentic message. */
export function openCose(bytes: Uint8Array, keys: readonly LiveKey[]): Uint8Array | TokenRefusal {
  const message = parseMessage(decodeCbor(bytes))
  if (message === null) return 'token_malformed'
  const { protectedBytes, payload, proof, isMac } = message
  const header = protectedBytes.length === 0 ? new Map<CborKey, Cbor>() : decodeCbor(protectedBytes)
  if (!isMap(header)) return 'token_malformed'
  // What is critical here is not understood here: nothing is known beyond the algorithm and the key.
  if (header.has(HEADER_CRIT)) return 'token_unsupported'
  const named = Object.entries(ALGORITHMS).find(([, algorithm]) => algorithm.id === header.get(HEADER_ALG))
  if (named === undefined || isMac !== (named[1].macBytes !== null)) return 'token_wrong'
  const kid = header.get(HEADER_KID) ?? message.unprotected.get(HEADER_KID)
  const covered = coveredBytes(isMac, protectedBytes, payload)
  const proven = keysFor(keys, named[0], kidText(kid)).some((key) =>
    isProof(named[1], key.verifying, covered, proof),
  )
  return proven ? payload : 'token_wrong'
}

/** With both tags, as CTA-5007 has it. */
export function sealCose(payload: Uint8Array, key: LiveKey): Buffer {
  if (key.signing === null) throw new Error('a public key cannot sign')
  const algorithm = ALGORITHMS[key.algorithm]
  const isMac = algorithm.macBytes !== null
  const protectedBytes = encodeCbor(new Map([[HEADER_ALG, algorithm.id]]))
  const unprotected = new Map<CborKey, Cbor>()
  if (key.id !== null) unprotected.set(HEADER_KID, Buffer.from(key.id))
  const proof = proofOf(algorithm, key.signing, coveredBytes(isMac, protectedBytes, payload))
  const message = [protectedBytes, unprotected, payload, proof]
  return encodeCbor({ tag: TAG_CWT, value: { tag: isMac ? TAG_MAC0 : TAG_SIGN1, value: message } })
}

interface Message {
  readonly isMac: boolean
  readonly protectedBytes: Uint8Array
  readonly unprotected: ReadonlyMap<CborKey, Cbor>
  readonly payload: Uint8Array
  readonly proof: Uint8Array
}

function parseMessage(value: Cbor | undefined): Message | null {
  const tagged = isTag(value) && value.tag === TAG_CWT ? value.value : value
  if (!isTag(tagged) || (tagged.tag !== TAG_MAC0 && tagged.tag !== TAG_SIGN1)) return null
  const parts = tagged.value
  if (!Array.isArray(parts) || parts.length !== 4) return null
  // isArray leaves the elements untyped; each is checked here.
  const [protectedBytes, unprotected, payload, proof]: unknown[] = parts
  if (!(protectedBytes instanceof Uint8Array) || !isMap(unprotected)) return null
  if (!(payload instanceof Uint8Array) || !(proof instanceof Uint8Array)) return null
  return { isMac: tagged.tag === TAG_MAC0, protectedBytes, unprotected, payload, proof }
}

/** MAC_structure or Sig_structure, without external data. */
function coveredBytes(isMac: boolean, protectedBytes: Uint8Array, payload: Uint8Array): Buffer {
  return encodeCbor([isMac ? 'MAC0' : 'Signature1', protectedBytes, new Uint8Array(0), payload])
}

function proofOf(algorithm: Algorithm, key: KeyObject, covered: Uint8Array): Buffer {
  const { hash, macBytes } = algorithm
  if (macBytes === null || hash === null) return sign(hash, covered, signature(algorithm, key))
  return createHmac(hash, key).update(covered).digest().subarray(0, macBytes)
}

function isProof(algorithm: Algorithm, key: KeyObject, covered: Uint8Array, proof: Uint8Array): boolean {
  if (algorithm.macBytes === null) return verify(algorithm.hash, covered, signature(algorithm, key), proof)
  return proof.length === algorithm.macBytes && timingSafeEqual(proofOf(algorithm, key, covered), proof)
}

function signature({ curve, pss }: Algorithm, key: KeyObject) {
  if (curve) return { key, dsaEncoding: 'ieee-p1363' as const }
  if (pss)
    return {
      key,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }
  return { key }
}

function kidText(kid: Cbor | undefined): string | null {
  if (kid instanceof Uint8Array) return Buffer.from(kid).toString()
  return typeof kid === 'string' ? kid : null
}
