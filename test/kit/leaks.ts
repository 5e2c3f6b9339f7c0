// Secrets that are looked for where they should not be, and an edge's file that holds some.
import { randomBytes } from 'node:crypto'
import { stringify } from 'yaml'

/** Found again only where it leaked. */
export function secret(): string {
  return `S3cr3t${randomBytes(16).toString('hex')}`
}

export function found(text: string, secrets: Iterable<string>): string[] {
  return [...new Set(secrets)].filter((one) => one !== '' && text.includes(one))
}

export function edgeFile(properties: readonly object[]): string {
  const origins = [{ id: 'studio', url: 'http://127.0.0.1:9' }]
  return stringify({ id: 'solo', listen: '127.0.0.1:0', origins, properties })
}
