// What a check of settings finds, before it is a problem of a file: the key's path, without its line.
import type { ConfigProblem } from './config-error.ts'
import { formatKeyPath } from './key-path.ts'
import type { KeyPath } from './key-path.ts'
import type { ConfigDocument } from './yaml-file.ts'

export interface Finding {
  readonly at: KeyPath
  readonly message: string
}

export function located(found: readonly Finding[], document: ConfigDocument): ConfigProblem[] {
  return found.map(({ at, message }) => ({ path: formatKeyPath(at), line: document.lineOf(at), message }))
}

/** Of another key that a message speaks of. */
export function placeOf(at: KeyPath, document: ConfigDocument): string {
  return `${formatKeyPath(at)} (line ${document.lineOf(at)})`
}
