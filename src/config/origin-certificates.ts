// The certificates and keys that origins are asked with: read when the configuration is, checked, and put in the place
// of their file names, since the edges that use them have no such files.
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { createSecureContext } from 'node:tls'
import { messageOf } from '../errors.ts'
import type { ConfigProblem } from './config-error.ts'
import { located } from './finding.ts'
import type { Finding } from './finding.ts'
import type { OriginSettings } from './origin-schema.ts'
import type { ConfigDocument } from './yaml-file.ts'

/** Many authorities; more is refused. */
const FILE_BYTES_MAX = 2 ** 20

/** Relative names are meant from `directory`. */
export async function takeOriginCertificates(
  origins: readonly OriginSettings[],
  directory: string,
  document: ConfigDocument,
): Promise<ConfigProblem[]> {
  const found = await Promise.all(
    origins.map((origin, i) => takeOf(origin, ['origins', i, 'tls'], directory)),
  )
  return located(found.flat(), document)
}

async function takeOf(
  { tls, url }: OriginSettings,
  at: Finding['at'],
  directory: string,
): Promise<Finding[]> {
  if (tls === undefined) return []
  if (new URL(url).protocol !== 'https:') return [{ at, message: 'is for origins whose url is https://' }]
  const found: Finding[] = []
  for (const name of ['ca', 'certificate', 'key'] as const) {
    const file = tls[name]
    if (file === undefined) continue
    // oxlint-disable-next-line no-await-in-loop -- three small files
    const text = await textOf(path.resolve(directory, file))
    if (typeof text === 'string') tls[name] = text
    else found.push({ at: [...at, name], message: text.problem })
  }
  const { ca, certificate, key } = tls
  if (certificate !== undefined && key === undefined)
    found.push({ at: [...at, 'certificate'], message: 'needs `key`' })
  if (key !== undefined && certificate === undefined)
    found.push({ at: [...at, 'key'], message: 'needs `certificate`' })
  if (found.length > 0) return found
  try {
    createSecureContext({ ca, cert: certificate, key })
  } catch (error) {
    // OpenSSL's words say what is wrong, and repeat nothing of a key.
    return [{ at, message: `cannot be used: ${messageOf(error)}` }]
  }
  return []
}

async function textOf(file: string): Promise<string | { problem: string }> {
  try {
    const stats = await stat(file)
    if (!stats.isFile()) return { problem: `${file} is not a regular file` }
    if (stats.size > FILE_BYTES_MAX) return { problem: `${file} is larger than 1 MiB` }
    const text = await readFile(file, 'utf8')
    return text.includes('-----BEGIN ') ? text : { problem: `${file} holds no PEM` }
  } catch (error) {
    return { problem: `cannot be read: ${messageOf(error)}` }
  }
}
