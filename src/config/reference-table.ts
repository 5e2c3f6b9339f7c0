// The tables of the reference pages: one row a key, its type in a person's words.
import type { z } from 'zod'

export type JsonSchema = z.core.JSONSchema.BaseSchema

/** The keys of an object schema; a schema may also be `true` or `false`, which ours never are. */
export function propertiesOf(schema: JsonSchema | undefined): [string, JsonSchema][] {
  return Object.entries(schema?.properties ?? {}).flatMap(([key, value]) =>
    typeof value === 'object' ? [[key, value]] : [],
  )
}

/** What a list holds. */
export function itemOf(schema: JsonSchema): JsonSchema | undefined {
  const item = Array.isArray(schema.items) ? schema.items[0] : schema.items
  return typeof item === 'object' ? item : undefined
}

export function alternativesOf(schema: JsonSchema): JsonSchema[] {
  return schema.anyOf?.filter((one) => typeof one === 'object') ?? []
}

export interface ReferenceRow {
  /** `edges[].capacity.bandwidth` */
  key: string
  type: string
  fallback: string
  meaning: string
}

/** All keys of an object schema whose first step is wanted, each before the keys it holds. */
export function rowsOf(schema: JsonSchema, wanted: (key: string) => boolean): ReferenceRow[] {
  return propertiesOf(schema)
    .filter(([key]) => wanted(key))
    .flatMap(([key, value]) => keyRows(key, value, schema.required?.includes(key) === true))
}

function keyRows(key: string, schema: JsonSchema, required: boolean): ReferenceRow[] {
  const row = {
    key: `\`${key}\``,
    type: typeWords(schema),
    fallback: fallbackWords(schema, required),
    meaning: schema.description ?? '',
  }
  const item = itemOf(schema)
  const holders = [schema, ...alternativesOf(schema)]
  const held = item ?? holders.find((one) => one.properties !== undefined)
  const prefix = item === undefined ? `${key}.` : `${key}[].`
  const below = propertiesOf(held).flatMap(([name, value]) =>
    keyRows(`${prefix}${name}`, value, held?.required?.includes(name) === true),
  )
  return [row, ...below]
}

function typeWords(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return alternativesOf(schema).map(typeWords).join(', or ')
  if (schema.type === 'array') {
    const item = itemOf(schema)
    return item?.properties === undefined ? `list: ${typeWords(item ?? {})}` : 'list of entries'
  }
  if (schema.type === 'object') return 'keys'
  if (schema.title !== undefined) return schema.title
  const words = schema.enum ?? (typeof schema.const === 'string' ? [schema.const] : undefined)
  if (words !== undefined) return words.map((word) => `\`${word}\``).join(', ')
  if (schema.type === 'boolean') return 'true or false'
  if (schema.type === 'integer') return 'whole number'
  return schema.type === 'number' ? 'number' : 'text'
}

function fallbackWords(schema: JsonSchema, required: boolean): string {
  if (required) return 'required'
  const { default: fallback } = schema
  if (fallback === undefined || schema.type === 'object') return ''
  if (Array.isArray(fallback) && fallback.length === 0) return 'none'
  return `\`${typeof fallback === 'string' ? fallback : JSON.stringify(fallback)}\``
}

export function tableOf(rows: readonly ReferenceRow[]): string {
  return markdownTable([
    ['Key', 'Type', 'Default', 'Meaning'],
    ...rows.map((row) => [row.key, row.type, row.fallback, row.meaning]),
  ])
}

/** What each type that has examples looks like. */
export function typesTable(schemas: readonly JsonSchema[]): string {
  const examples = new Map<string, string>()
  for (const schema of schemas) collectExamples(schema, examples)
  const rows = [...examples].toSorted(([x], [y]) => x.localeCompare(y, 'en'))
  return markdownTable([['Type', 'Such as'], ...rows])
}

function collectExamples(schema: JsonSchema, into: Map<string, string>): void {
  if (schema.title !== undefined && schema.examples !== undefined) {
    into.set(schema.title, schema.examples.map((example) => `\`${String(example)}\``).join(', '))
  }
  const item = itemOf(schema)
  const properties = propertiesOf(schema).map(([, value]) => value)
  const below = [...properties, ...alternativesOf(schema), ...(item ? [item] : [])]
  for (const inner of below) collectExamples(inner, into)
}

/** Columns padded to one width, as the formatter wants them. */
function markdownTable(rows: readonly (readonly string[])[]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', String.raw`\|`)))
  const [head = [], ...body] = escaped
  const widths = head.map((_, i) => Math.max(3, ...escaped.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join(
    '\n',
  )
}
