// The certificates of a listener, read and checked as a whole, and the choice among them by the name that a client
// asks for (SNI). A set never changes: a new one is made aside and takes the place of the old.
import { stat } from 'node:fs/promises'
import { constants } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { SecureContext, SecureContextOptions } from 'node:tls'
import { systemCode } from '../errors.ts'
import { CertificateError } from './certificate-error.ts'
import type { CertificateProblem } from './certificate-error.ts'
import { readCertificate } from './read-certificate.ts'
import type { Certificate, CertificateFiles } from './read-certificate.ts'

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

export interface CertificateSet {
  /** In the order of the configuration; the first answers for names that no other has. */
  readonly certificates: readonly Certificate[]
  /** When the first of them ends. */
  readonly notAfterMs: number
  /** What the files were like when they were read; see `stampOf`. */
  readonly stamp: string
  /** For clients that name no host, or one that no certificate has. */
  readonly fallback: SecureContextOptions
  readonly minimum: TlsVersion
  /** By name, wildcards with their `*`; null: the fallback. */
  readonly contexts: ReadonlyMap<string, SecureContext | null>
}

/** With ephemeral keys and authenticated encryption alone; a client's preference is as good as ours. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** Reads and checks all; throws a CertificateError that says everything that is wrong. */
export async function loadCertificates(
  files: readonly CertificateFiles[],
  options: { minimum: TlsVersion; nowMs: number },
): Promise<CertificateSet> {
  // Before the reading: a change in between makes the next look at the files differ.
  const stamp = await stampOf(files)
  const read = await Promise.all(files.map((pair, index) => readCertificate(pair, index, options.nowMs)))
  const problems: CertificateProblem[] = []
  const certificates: Certificate[] = []
  for (const result of read) {
    if (Array.isArray(result)) problems.push(...result)
    else certificates.push(result)
  }
  const [first] = certificates
  if (problems.length > 0 || first === undefined) throw new CertificateError(problems)
  return {
    certificates,
    notAfterMs: Math.min(...certificates.map(({ notAfterMs }) => notAfterMs)),
    stamp,
    fallback: contextOptions(ofEachKind(certificates, first), options.minimum),
    minimum: options.minimum,
    contexts: contextsOf(certificates, first, options.minimum),
  }
}

/** The exact name first, then a wildcard for its first label; null: the fallback. */
export function findContext(set: CertificateSet, serverName: string): SecureContext | null {
  const name = serverName.toLowerCase().replace(/\.$/, '')
  const exact = set.contexts.get(name)
  if (exact !== undefined) return exact
  const dot = name.indexOf('.')
  return (dot > 0 ? set.contexts.get(`*${name.slice(dot)}`) : undefined) ?? null
}

/** Changes when any of the files does: to another inode, length or time. Never fails. */
export async function stampOf(files: readonly CertificateFiles[]): Promise<string> {
  const names = files.flatMap(({ certificate, key }) => [certificate, key])
  const stamps = await Promise.all(
    names.map((name) =>
      stat(name).then(
        ({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`,
        (error: unknown) => systemCode(error) ?? 'gone',
      ),
    ),
  )
  return stamps.join('\n')
}

/** For each name the first certificate that has it. */
function contextsOf(
  certificates: readonly Certificate[],
  first: Certificate,
  minimum: TlsVersion,
): ReadonlyMap<string, SecureContext | null> {
  const contexts = new Map<string, SecureContext | null>()
  for (const certificate of certificates) {
    const isFirst = certificate === first
    const context = isFirst ? null : createSecureContext(contextOptions([certificate], minimum))
    for (const name of certificate.names) if (!contexts.has(name)) contexts.set(name, context)
  }
  return contexts
}

/**
 * The first certificate, and those for all of its names with keys of other kinds: a client gets the kind that it
 * understands. Only for the fallback: of a context that is chosen by name, Node takes a single certificate over.
 */
function ofEachKind(certificates: readonly Certificate[], first: Certificate): Certificate[] {
  const kinds = new Set<string>()
  return certificates.filter(({ names, keyType }) => {
    if (kinds.has(keyType) || !first.names.every((name) => names.includes(name))) return false
    kinds.add(keyType)
    return true
  })
}

function contextOptions(certificates: readonly Certificate[], minimum: TlsVersion): SecureContextOptions {
  return {
    cert: certificates.map(({ pem }) => pem.certificate),
    key: certificates.map(({ pem }) => pem.key),
    minVersion: minimum,
    ciphers: CIPHERS,
    honorCipherOrder: false,
    // Renegotiation costs a server far more than it costs who asks for it, and nobody needs it.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  }
}
