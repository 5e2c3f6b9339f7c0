// Certificates for tests, made by openssl: self-signed, for the names given, in files of a test's own directory.
import { execFile } from 'node:child_process'
import { rename } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface CertificateRequest {
  /** DNS names, with or without `*.`; an address as `IP:192.0.2.1`. None: a certificate without names. */
  names?: readonly string[]
  kind?: 'ec' | 'rsa'
  /** Protects the key. */
  password?: string
}

export interface CertificateFiles {
  certificate: string
  key: string
}

const KEYS = {
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['-newkey', 'rsa:2048'],
}

/** Writes `<name>.pem` and `<name>.key`, valid from now for a month. An earlier pair is replaced file by file. */
export async function makeCertificate(
  directory: string,
  name: string,
  request: CertificateRequest = {},
): Promise<CertificateFiles> {
  const files = { certificate: path.join(directory, `${name}.pem`), key: path.join(directory, `${name}.key`) }
  const fresh = { certificate: `${files.certificate}.new`, key: `${files.key}.new` }
  const names = (request.names ?? ['localhost', 'IP:127.0.0.1']).map((entry) =>
    entry.startsWith('IP:') ? entry : `DNS:${entry}`,
  )
  await run('openssl', [
    'req',
    '-x509',
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
    ...KEYS[request.kind ?? 'ec'],
    ...(request.password === undefined ? ['-nodes'] : ['-passout', `pass:${request.password}`]),
    ...(names.length === 0 ? [] : ['-addext', `subjectAltName=${names.join(',')}`]),
    '-out',
    fresh.certificate,
    '-keyout',
    fresh.key,
  ])
  await rename(fresh.certificate, files.certificate)
  await rename(fresh.key, files.key)
  return files
}

/** Runs `openssl s_client` against a server, sends `input`, and gives all that it says. */
export async function openssl(
  port: number,
  args: readonly string[],
  input = '',
): Promise<{ code: number; text: string }> {
  const child = execFile('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], {
    timeout: 10_000,
  })
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  child.stdin?.end(input)
  const code = await new Promise<number>((resolve) => {
    child.once('close', (status) => resolve(status ?? -1))
  })
  return { code, text }
}
