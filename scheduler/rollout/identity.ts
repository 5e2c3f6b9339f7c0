// What makes two configurations the same: what they say for the whole cluster, whatever their comments, their order of
// keys and the own keys of the scheduler that read them. References stay unresolved: secrets are in no hash.
import { createHash } from 'node:crypto'
import { parse } from 'yaml'
import type { ConfigSource } from '../../src/config/load.ts'
import { withoutOwnKeys } from '../../src/config/own-keys.ts'

/** Of a text that was loaded once, and so is YAML. */
export function identityOf({ text, files }: ConfigSource): string {
  // Its own bound on aliases is below that of the reader, which refuses nested ones in time.
  const root: unknown = parse(text, { uniqueKeys: false, maxAliasCount: -1 })
  const hashes = [...files]
    .map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([inOrder(withoutOwnKeys(root)), hashes]))
    .digest('hex')
    .slice(0, 16)
}

/** Mappings by their keys. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, inner]) => [key, inOrder(inner)])
}
