// What the schemes with a shared key have in common: their keys as bytes, hashing, and what a signer is told.
// Texts are hashed as Latin-1: a path holds the bytes that the client sent, one a character. Keys come as Unicode and
// are turned into such texts once.
import { hash } from 'node:crypto'
import { EdgewardError } from '../errors.ts'

export type DigestName = 'md5' | 'sha256'

/** In hexadecimal digits. */
export const DIGEST_LENGTH = { md5: 32, sha256: 64 } as const

/** How long a signed URL holds where nothing else says; the default of Alibaba Cloud. */
export const VALIDITY_DEFAULT_MS = 1_800_000

export interface SignOptions {
  readonly nowMs: number
  /** When the URL ends; left out: its validity from now on. Cut to what the scheme can write, mostly seconds. */
  readonly expiresMs?: number | undefined
  /** Only for this client: RFC 5952 text, IPv4-mapped addresses as IPv4. A scheme that cannot say so throws. */
  readonly address?: string | undefined
}

/** The text's UTF-8 bytes, one a character. */
export function byteText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Keys as texts to hash. Throws `config_invalid`, without naming them. */
export function keyTexts(keys: readonly string[]): readonly string[] {
  if (keys.length === 0) throw settingsError('a token scheme needs a key')
  if (keys.includes('')) throw settingsError('a key of a token scheme is empty')
  return keys.map(byteText)
}

/** Hexadecimal, in lower case. */
export function digest(name: DigestName, text: string): string {
  return hash(name, Buffer.from(text, 'latin1'), 'hex')
}

/** What is not ASCII in a target to sign, percent-encoded, as every vendor asks for. */
export function asciiTarget(target: string): string {
  return target.replace(/[^\x21-\x7e]+/g, (text) => encodeURIComponent(text.toWellFormed()))
}

export function settingsError(message: string): EdgewardError {
  return new EdgewardError('config_invalid', 'self', message)
}
