// What makes two configurations of a scheduler the same: what they say for the whole cluster, whatever their comments,
// their order of keys and the own keys of the scheduler that read them. References stay unresolved: no secret is in it.
import { createHash } from 'node:crypto'
import { withoutOwnKeys } from './own-keys.ts'

/** `unresolved`: the values of the file as it stands; `files`: what it names beside itself, by name. */
export function identityOf(unresolved: unknown, files: ReadonlyMap<string, Buffer>): string {
  const hashes = [...files]
    .map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([inOrder(withoutOwnKeys(unresolved)), hashes]))
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
