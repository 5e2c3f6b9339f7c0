// One certificate with its key, read from PEM files and checked: that the two belong together, that the certificate
// holds now, and which names it is for.
import { X509Certificate, createPrivateKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { messageOf, systemCode } from '../errors.ts'
import type { CertificateProblem, CertificateReason } from './certificate-error.ts'

export interface CertificateFiles {
  /** PEM: the certificate, then those that lead to its issuer. */
  readonly certificate: string
  /** PEM, without a password. */
  readonly key: string
}

export interface Certificate {
  /** Names in lower case, with a `*.` where they have one. */
  readonly names: readonly string[]
  readonly keyType: string
  readonly notAfterMs: number
  readonly pem: { readonly certificate: string; readonly key: string }
}

export async function readCertificate(
  files: CertificateFiles,
  index: number,
  nowMs: number,
): Promise<Certificate | CertificateProblem[]> {
  const problems: CertificateProblem[] = []
  const report = (part: 'certificate' | 'key', reason: CertificateReason, message: string) => {
    problems.push({ index, part, file: files[part], reason, message })
  }
  const read = async (part: 'certificate' | 'key') => {
    try {
      return await readFile(files[part], 'utf8')
    } catch (error) {
      report(part, 'unreadable', `cannot be read (${systemCode(error) ?? messageOf(error)})`)
      return undefined
    }
  }
  const [certificatePem, keyPem] = await Promise.all([read('certificate'), read('key')])
  const x509 = certificatePem === undefined ? undefined : parseCertificate(certificatePem, report)
  const key = keyPem === undefined ? undefined : parseKey(keyPem, report)
  if (certificatePem === undefined || keyPem === undefined || x509 === undefined || key === undefined) {
    return problems
  }
  if (!x509.checkPrivateKey(key)) report('key', 'key-mismatch', 'is not the key of the certificate')
  const notAfterMs = x509.validToDate.getTime()
  if (nowMs > notAfterMs) report('certificate', 'expired', `has expired, on ${dayOf(notAfterMs)}`)
  const notBeforeMs = x509.validFromDate.getTime()
  if (nowMs < notBeforeMs) {
    report('certificate', 'not-yet-valid', `is not valid yet, only from ${dayOf(notBeforeMs)}`)
  }
  const names = namesOf(x509)
  if (names.length === 0) report('certificate', 'no-names', 'names no host (subjectAltName)')
  if (problems.length === 0) {
    try {
      createSecureContext({ cert: certificatePem, key: keyPem })
    } catch (error) {
      report('certificate', 'unusable', `cannot be used: ${messageOf(error)}`)
    }
  }
  if (problems.length > 0) return problems
  const keyType = x509.publicKey.asymmetricKeyType ?? ''
  return { names, keyType, notAfterMs, pem: { certificate: certificatePem, key: keyPem } }
}

type Report = (part: 'certificate' | 'key', reason: CertificateReason, message: string) => void

function parseCertificate(pem: string, report: Report): X509Certificate | undefined {
  try {
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no BEGIN CERTIFICATE')
    return new X509Certificate(pem)
  } catch {
    report('certificate', 'not-pem', 'holds no certificate in PEM')
    return undefined
  }
}

function parseKey(pem: string, report: Report): KeyObject | undefined {
  if (pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----') || pem.includes('Proc-Type: 4,ENCRYPTED')) {
    report('key', 'encrypted-key', 'is protected by a password; an edge starts without anybody at hand')
    return undefined
  }
  try {
    return createPrivateKey(pem)
  } catch {
    report('key', 'not-pem', 'holds no private key in PEM')
    return undefined
  }
}

/** RFC 9525 §2: of the subject, only the alternative names count. Names with odd characters come quoted, and are none. */
function namesOf(x509: X509Certificate): string[] {
  const names: string[] = []
  for (const match of (x509.subjectAltName ?? '').matchAll(/(?:^|, )(?:DNS|IP Address):([^", ]+)/g)) {
    names.push((match[1] ?? '').toLowerCase())
  }
  return names
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
