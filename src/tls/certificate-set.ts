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
  /** By name; a wildcard under what follows its `*`. */
  readonly contexts: ReadonlyMap<string, SecureContext>
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
    fallback: contextOptions(forName(certificates, first.names[0] ?? ''), options.minimum),
    minimum: options.minimum,
    contexts: contextsOf(certificates, options.minimum),
  }
}

/** The exact name first, then a wildcard for its first label; undefined: the fallback. */
export function findContext(set: CertificateSet, serverName: string): SecureContext | undefined {
  const name = serverName.toLowerCase().replace(/\.$/, '')
  const exact = set.contexts.get(name)
  if (exact !== undefined) return exact
  const dot = name.indexOf('.')
  return dot > 0 ? set.contexts.get(`*${name.slice(dot)}`) : undefined
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

function contextsOf(
  certificates: readonly Certificate[],
  minimum: TlsVersion,
): ReadonlyMap<string, SecureContext> {
  const byChoice = new Map<string, SecureContext>()
  const contexts = new Map<string, SecureContext>()
  for (const name of new Set(certificates.flatMap((certificate) => certificate.names))) {
    const chosen = forName(certificates, name)
    const choice = chosen.map((certificate) => certificates.indexOf(certificate)).join()
    const context = byChoice.get(choice) ?? createSecureContext(contextOptions(chosen, minimum))
    byChoice.set(choice, context)
    contexts.set(name, context)
  }
  return contexts
}

/** Of each kind of key the first with that name: a client gets the kind that it understands. */
function forName(certificates: readonly Certificate[], name: string): Certificate[] {
  const kinds = new Set<string>()
  return certificates.filter((certificate) => {
    if (!certificate.names.includes(name) || kinds.has(certificate.keyType)) return false
    kinds.add(certificate.keyType)
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
