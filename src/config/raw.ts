// Reading of values that no schema has checked yet: the cross-reference checks run beside the schema, so
// that a bad value in one place does not hide a dangling reference in another.
import type { KeyPath } from './key-path.ts'

export interface Found<T> {
  readonly path: KeyPath
  readonly value: T
}

/** The value at a path; undefined where anything on the way is missing or of another type. */
export function valueAt(root: unknown, path: KeyPath): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = Reflect.get(value, step)
  }
  return value
}

/** The paths of a list's entries; none where there is no list. */
export function entriesAt(root: unknown, path: KeyPath): KeyPath[] {
  const value = valueAt(root, path)
  return Array.isArray(value) ? value.map((_, i) => path.concat(i)) : []
}

/** The text at a path, if it is one. */
export function textAt(root: unknown, path: KeyPath): Found<string>[] {
  const value = valueAt(root, path)
  return typeof value === 'string' ? [{ path, value }] : []
}

/** The texts of a list. */
export function textsAt(root: unknown, path: KeyPath): Found<string>[] {
  return entriesAt(root, path).flatMap((entry) => textAt(root, entry))
}

/** One text of each entry of a list: every `sites[…].id`. */
export function textsOfEntries(root: unknown, list: string, key: string): Found<string>[] {
  return entriesAt(root, [list]).flatMap((entry) => textAt(root, [...entry, key]))
}
