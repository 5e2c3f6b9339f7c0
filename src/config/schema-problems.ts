// Turns what zod finds into problems a person can act on: own words, the key's path and line, a suggestion
// for an unknown key. No message holds a value of the file, which may be a secret.
import { z } from 'zod'
import type { ConfigProblem } from './config-error.ts'
import { formatKeyPath } from './key-path.ts'
import type { KeyPath } from './key-path.ts'
import { closest } from './suggest.ts'
import type { ConfigDocument } from './yaml-file.ts'

export interface SchemaResult<T> {
  /** Undefined when there are problems. */
  settings: T | undefined
  problems: ConfigProblem[]
}

export function applySchema<T>(schema: z.ZodType<T>, document: ConfigDocument): SchemaResult<T> {
  const result = schema.safeParse(document.root, { error: wordsOf })
  if (result.success) return { settings: result.data, problems: [] }
  const problems = result.error.issues.flatMap((issue) => issueProblems(issue, [], schema, document))
  return { settings: undefined, problems }
}

function issueProblems(
  issue: z.core.$ZodIssue,
  base: KeyPath,
  schema: z.ZodType,
  document: ConfigDocument,
): ConfigProblem[] {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))]
  if (document.isUnresolved(path)) return []
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const keyPath = [...path, key]
      const message = `is not a known key${suggestion(schema, path, key)}`
      return { path: formatKeyPath(keyPath), line: document.keyLineOf(keyPath), message }
    })
  }
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((issues) => issues.every(fitsType))
    if (meant !== undefined) return meant.flatMap((inner) => issueProblems(inner, path, schema, document))
  }
  // Of a key that anybody may choose, such as a field's name: what is wrong with it says its own schema.
  const message = (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined) ?? issue.message
  return [{ path: formatKeyPath(path), line: document.lineOf(path), message }]
}

/** The form that was meant is the one whose own type fits. */
function fitsType({ code, path }: z.core.$ZodIssue): boolean {
  return path.length > 0 || code !== 'invalid_type'
}

const TYPE_WORDS: Record<string, string> = {
  array: 'must be a list',
  boolean: 'must be true or false',
  int: 'must be a whole number',
  number: 'must be a number',
  object: 'must hold keys of its own',
  string: 'must be text',
}

/** For whatever the schema itself has no words for. */
function wordsOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return 'is missing'
  if (issue.input === null) return 'is empty; give it a value or remove it'
  if (issue.code === 'invalid_type') {
    const scalar = typeof issue.input === 'number' || typeof issue.input === 'boolean'
    const hint = issue.expected === 'string' && scalar ? ': put it in quotes' : ''
    return `${TYPE_WORDS[issue.expected] ?? `must be of type ${issue.expected}`}${hint}`
  }
  if (issue.code === 'too_small') {
    if (issue.origin === 'string' && issue.minimum === 1) return 'must not be empty'
    const bound = issue.inclusive === false ? 'more than' : 'at least'
    return `must ${amount(issue.origin, bound, issue.minimum)}`
  }
  if (issue.code === 'too_big') {
    const bound = issue.inclusive === false ? 'less than' : 'at most'
    return `must ${amount(issue.origin, bound, issue.maximum)}`
  }
  if (issue.code === 'invalid_value') return `must be ${issue.values.map(String).join(' or ')}`
  return undefined
}

function amount(origin: string, bound: string, limit: number | bigint): string {
  if (origin === 'array') return `have ${bound} ${limit} ${Number(limit) === 1 ? 'entry' : 'entries'}`
  if (origin === 'string') return `have ${bound} ${limit} characters`
  return `be ${bound} ${limit}`
}

/** A key of a similar name here, or of this very name just below. */
function suggestion(schema: z.ZodType, path: KeyPath, key: string): string {
  const here = propertiesAt(z.toJSONSchema(schema, { io: 'input' }), path)
  const similar = closest(key, Object.keys(here))
  if (similar !== undefined) return `; did you mean "${similar}"?`
  const parent = Object.keys(here).find((name) => Object.hasOwn(propertiesAt(here[name], []), key))
  return parent === undefined ? '' : `; did you mean "${parent}.${key}"?`
}

type JsonSchema = z.core.JSONSchema._JSONSchema

function propertiesAt(root: JsonSchema | undefined, path: KeyPath): Record<string, JsonSchema> {
  let schema = root
  for (const step of path) {
    if (typeof schema !== 'object') return {}
    const items = Array.isArray(schema.items) ? schema.items[0] : schema.items
    const properties = schema.properties ?? {}
    if (typeof step === 'number') schema = items
    else schema = Object.hasOwn(properties, step) ? properties[step] : undefined
  }
  return typeof schema === 'object' ? (schema.properties ?? {}) : {}
}
