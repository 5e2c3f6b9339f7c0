// Writes docs/reference/: a page for people and a JSON Schema for editors, for each of the two files, from
// the same zod schemas that parse them. Run by `npm run reference`; a test fails when the pages are stale.
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { joinedEdgeSchema, standaloneEdgeSchema } from './edge-schema.ts'
import { alternativesOf, itemOf, propertiesOf, rowsOf, tableOf, typesTable } from './reference-table.ts'
import type { JsonSchema } from './reference-table.ts'
import { schedulerSchema } from './scheduler-schema.ts'

const NOTE = `<!-- Written by \`npm run reference\` from src/config; change the schema, not this page. -->`

const VALUES = `Any text may hold \`\${NAME}\`, which is replaced from the environment, or \`\${file:PATH}\`, from a file (relative to
this one); \`$\${\` is a literal \`\${\`. A variable that is not set stops the start, and so does a file
that cannot be read. Inside \`{ }\` and \`[ ]\` put the reference in quotes. Unknown keys stop the start too.
\`edgeward check FILE\` says everything that is wrong with a file.`

/** File name in docs/reference → content. */
export function referenceFiles(): Map<string, string> {
  return new Map([
    ['edgeward.yaml.md', schedulerPage()],
    ['edge.yaml.md', edgePage()],
    ['edgeward.schema.json', editorSchema('edgeward.yaml', schedulerSchema)],
    ['edge.schema.json', editorSchema('edge.yaml', z.union([joinedEdgeSchema, standaloneEdgeSchema]))],
  ])
}

function schedulerPage(): string {
  const schema = inputSchema(schedulerSchema)
  return page('edgeward.yaml', 'The scheduler’s file: the whole cluster.', [
    ...sectionsOf(schema, () => true),
    '## Values',
    VALUES,
    typesTable([schema]),
  ])
}

function edgePage(): string {
  const joined = inputSchema(joinedEdgeSchema)
  const standalone = inputSchema(standaloneEdgeSchema)
  const inJoined = joined.properties ?? {}
  const inStandalone = standalone.properties ?? {}
  return page('edge.yaml', 'One edge’s file. It joins a cluster, or stands alone.', [
    ...sectionsOf(joined, (key) => key in inStandalone),
    '## Joined to a cluster',
    'With these keys the edge asks a scheduler what to serve, and reports to it.',
    tableOf(rowsOf(joined, (key) => !(key in inStandalone))),
    '## Standalone',
    'With these keys the file itself says what to serve; there is no scheduler.',
    tableOf(rowsOf(standalone, (key) => !(key in inJoined))),
    '## Values',
    VALUES,
    typesTable([joined, standalone]),
  ])
}

function page(file: string, summary: string, blocks: readonly string[]): string {
  return `${[NOTE, `# ${file}`, summary, ...blocks].join('\n\n')}\n`
}

/** First the plain keys at the top, then a section for each key that holds others. */
function sectionsOf(schema: JsonSchema, wanted: (key: string) => boolean): string[] {
  const properties = propertiesOf(schema).filter(([key]) => wanted(key))
  const sections = properties.filter(([, value]) => holdsKeys(value))
  const withSection = new Set(sections.map(([key]) => key))
  return [
    '## Top level',
    tableOf(rowsOf(schema, (key) => wanted(key) && !withSection.has(key))),
    ...sections.flatMap(([key, value]) => [
      `## ${key}`,
      value.description ?? '',
      tableOf(rowsOf(schema, (name) => name === key).slice(1)),
    ]),
  ]
}

function holdsKeys(schema: JsonSchema): boolean {
  return schema.properties !== undefined || itemOf(schema)?.properties !== undefined
}

function inputSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-7' })
}

function editorSchema(title: string, schema: z.ZodType): string {
  const { $schema, ...rest } = inputSchema(schema)
  return `${jsonText({ $schema, title, ...withReferences(rest) }, '')}\n`
}

/** Lists of plain values on one line, all else indented: as the formatter wants it. */
function jsonText(value: unknown, indent: string): string {
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== 'object')) {
      return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`
    }
    return `[\n${value.map((item) => `${inner}${jsonText(item, inner)}`).join(',\n')}\n${indent}]`
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
  if (members.length === 0) return '{}'
  const lines = members.map(([key, member]) => `${inner}${JSON.stringify(key)}: ${jsonText(member, inner)}`)
  return `{\n${lines.join(',\n')}\n${indent}}`
}

const REFERENCE = String.raw`\$\{[A-Za-z_][A-Za-z0-9_]*\}`

/** An editor sees `${NAME}` where the daemon sees its value: every scalar may be one. */
function withReferences(schema: JsonSchema): JsonSchema {
  const { type, properties, items: _items, anyOf, title, description, default: fallback, ...rest } = schema
  const about = {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
  }
  if (type === 'number' || type === 'integer' || type === 'boolean') {
    return {
      ...about,
      anyOf: [
        { type, ...boundsOf(rest) },
        { type: 'string', pattern: REFERENCE },
      ],
    }
  }
  if (type === 'string') {
    const { pattern, minLength, ...others } = rest
    const empty = minLength === undefined ? {} : { minLength: 1 }
    return { ...about, type, ...others, ...empty, ...(pattern && { pattern: `${pattern}|${REFERENCE}` }) }
  }
  const item = itemOf(schema)
  return {
    ...about,
    ...(type !== undefined && { type }),
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(
        propertiesOf(schema).map(([key, value]) => [key, withReferences(value)]),
      ),
    }),
    ...(item && { items: withReferences(item) }),
    ...(anyOf && { anyOf: alternativesOf(schema).map(withReferences) }),
  }
}

/** Without the bounds that only say what a JavaScript number can hold. */
function boundsOf(schema: JsonSchema): JsonSchema {
  const { maximum, ...rest } = schema
  return maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? rest : { maximum, ...rest }
}

if (import.meta.main) {
  const directory = path.join(import.meta.dirname, '../../docs/reference')
  await mkdir(directory, { recursive: true })
  await Promise.all(
    [...referenceFiles()].map(([name, content]) => writeFile(path.join(directory, name), content)),
  )
}
