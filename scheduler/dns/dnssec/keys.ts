// The keys of a zone, read from BIND's key files and checked: that both files of a key belong together, that they are
// for this zone, and that there is one for the parent to name. Read at the start. Every key that is listed signs, and
// the times in the files (Activate, Inactive …) count for nothing: keys are changed by double signature (RFC 6781 §4.1).
import { createECDH, createPrivateKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { messageOf, systemCode } from '../../../src/errors.ts'
import { KEY_FILE_BYTES_MAX } from '../limits.ts'
import { formatName } from '../message/names.ts'
import type { WireName } from '../message/names.ts'
import { KEY_SIGNING_KEY, dnskeyData, keyTag } from './dnskey.ts'
import { parsePrivateKey, parsePublicKey } from './key-file.ts'
import type { KeyFileReason, KeyTextProblem, PublicKeyText } from './key-file.ts'

export interface ZoneKey {
  /** The `.private` file. */
  readonly file: string
  readonly flags: number
  readonly tag: number
  /** RDATA of its DNSKEY record. */
  readonly dnskey: Uint8Array
  readonly privateKey: KeyObject
}

export interface ZoneKeys {
  readonly zone: WireName
  /** They sign the set of DNSKEYs, and the parent's DS names them: flags 257. */
  readonly keySigning: readonly ZoneKey[]
  /** They sign all else: those with flags 256, or, where there is none, the others. */
  readonly zoneSigning: readonly ZoneKey[]
  /** What is not wrong but should be mended, a line each. */
  readonly warnings: readonly string[]
}

export interface KeyFileProblem extends KeyTextProblem {
  readonly file: string
}

/** All that is wrong with the files, each as `FILE:LINE it …`. */
export class KeyFileError extends Error {
  readonly problems: readonly KeyFileProblem[]

  constructor(problems: readonly KeyFileProblem[]) {
    super(problems.map((problem) => formatKeyProblem(problem)).join('; '))
    this.name = 'KeyFileError'
    this.problems = problems
  }
}

function formatKeyProblem({ file, line, message }: KeyFileProblem): string {
  return `${line === null ? file : `${file}:${line}`} ${message}`
}

const PRIVATE = '.private'
const PUBLIC = '.key'
const READABLE_BY_OTHERS = 0o004
const POINT_UNCOMPRESSED = 4

/** `files`: the `.private` files; each has its `.key` beside it. Throws a KeyFileError. */
export async function loadZoneKeys(zone: WireName, files: readonly string[]): Promise<ZoneKeys> {
  const read = await Promise.all(files.map((file) => readKey(zone, file)))
  const keys: ReadKey[] = []
  const problems: KeyFileProblem[] = []
  for (const key of read) {
    if ('reason' in key) problems.push(key)
    else keys.push(key)
  }
  for (const [i, { file, tag }] of keys.entries()) {
    const same = keys.slice(0, i).find((key) => key.tag === tag)
    // RFC 4034 allows it, but a resolver then tries both, and those that bound their work (CVE-2023-50387) may not.
    if (same !== undefined)
      problems.push(wrong(file, 'same-tag', `has the key tag ${tag}, as has ${same.file}`))
  }
  const keySigning = keys.filter(({ flags }) => flags === KEY_SIGNING_KEY)
  if (problems.length === 0 && keySigning.length === 0) {
    const message = `is no key with flags ${KEY_SIGNING_KEY}, nor is another: the parent could name none`
    problems.push(wrong(files[0] ?? '', 'no-key-signing-key', message))
  }
  if (problems.length > 0) throw new KeyFileError(problems)
  const rest = keys.filter(({ flags }) => flags !== KEY_SIGNING_KEY)
  const warnings = keys.flatMap(({ warning }) => (warning === undefined ? [] : [warning]))
  return { zone, keySigning, zoneSigning: rest.length > 0 ? rest : keySigning, warnings }
}

interface ReadKey extends ZoneKey {
  readonly warning: string | undefined
}

async function readKey(zone: WireName, file: string): Promise<ReadKey | KeyFileProblem> {
  if (!file.endsWith(PRIVATE)) return wrong(file, 'wrong-file', `is not named K….${PRIVATE.slice(1)}`)
  const publicFile = file.slice(0, -PRIVATE.length) + PUBLIC
  const [privateText, publicText] = await Promise.all([readText(file), readText(publicFile)])
  if ('reason' in privateText) return { ...privateText, file }
  if ('reason' in publicText) return { ...publicText, file: publicFile }
  const scalar = parsePrivateKey(privateText.text)
  if ('reason' in scalar) return { ...scalar, file }
  const published = parsePublicKey(publicText.text)
  if ('reason' in published) return { ...published, file: publicFile }
  if (published.zone !== zone) {
    const names = `${formatName(published.zone)}, not of ${formatName(zone)}`
    return wrong(publicFile, 'other-zone', `is a key of ${names}`)
  }
  const privateKey = joinKey(scalar, published)
  if (privateKey === undefined) return wrong(file, 'key-mismatch', `is not the key of ${publicFile}`)
  const dnskey = dnskeyData(published.flags, published.publicKey)
  const isOpen = (privateText.mode & READABLE_BY_OTHERS) !== 0
  const warning = isOpen ? `${file} can be read by every user of this machine` : undefined
  return { file, flags: published.flags, tag: keyTag(dnskey), dnskey, privateKey, warning }
}

async function readText(file: string): Promise<{ text: string; mode: number } | KeyTextProblem> {
  try {
    const { mode, size } = await stat(file)
    if (size > KEY_FILE_BYTES_MAX) {
      return { reason: 'malformed', line: null, message: `is larger than ${KEY_FILE_BYTES_MAX} bytes` }
    }
    return { text: await readFile(file, 'utf8'), mode }
  } catch (error) {
    const message = `cannot be read (${systemCode(error) ?? messageOf(error)})`
    return { reason: 'unreadable', line: null, message }
  }
}

/** Undefined when the secret number is none of the curve's, or another key's. */
function joinKey(scalar: Buffer, { publicKey }: PublicKeyText): KeyObject | undefined {
  const curve = createECDH('prime256v1')
  try {
    curve.setPrivateKey(scalar)
  } catch {
    return undefined
  }
  if (!curve.getPublicKey().equals(Buffer.from([POINT_UNCOMPRESSED, ...publicKey]))) return undefined
  const half = publicKey.length / 2
  const x = publicKey.toString('base64url', 0, half)
  const y = publicKey.toString('base64url', half)
  return createPrivateKey({
    format: 'jwk',
    key: { kty: 'EC', crv: 'P-256', x, y, d: scalar.toString('base64url') },
  })
}

function wrong(file: string, reason: KeyFileReason, message: string): KeyFileProblem {
  return { file, reason, line: null, message }
}
