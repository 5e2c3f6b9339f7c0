// The reference pages and editor schemas in docs/reference are what the schemas generate today.
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { referenceFiles } from '../../src/config/reference.ts'

const DIRECTORY = path.join(import.meta.dirname, '../../docs/reference')

t.test('docs/reference is current; if not: npm run reference', async (t) => {
  const expected = referenceFiles()
  t.strictSame((await readdir(DIRECTORY)).toSorted(), [...expected.keys()].toSorted())
  for (const [name, content] of expected) {
    t.equal(await readFile(path.join(DIRECTORY, name), 'utf8'), content, name)
  }
})

t.test('every key has a meaning, and a default in the words of the file', async (t) => {
  const pages = [...referenceFiles()].filter(([name]) => name.endsWith('.md')).map(([, content]) => content)
  const rows = pages
    .join('\n')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(' | ').map((cell) => cell.replaceAll(/^\| |\|$/g, '').trim()))
    .filter((cells) => cells.length === 4)
  t.ok(rows.length > 50, `${rows.length} keys`)
  t.strictSame(
    rows.filter((cells) => cells.at(-1) === '').map(([key]) => key),
    [],
  )
  const fallbacks = new Map(rows.map(([key, , fallback]) => [key, fallback]))
  t.equal(fallbacks.get('`cache.memory`'), '`256MiB`')
  t.equal(fallbacks.get('`scheduler.drain`'), '`10s`')
  t.equal(fallbacks.get('`edges[].capacity.bandwidth`'), '`1Gbit`')
  t.equal(fallbacks.get('`properties[].cache.rules`'), 'none')
  t.equal(fallbacks.get('`edges[].keyHash`'), 'required')
})

t.test('an editor accepts the examples with their references, and marks what is wrong', async (t) => {
  const examples = path.join(DIRECTORY, '../../deploy/examples')
  const schemas: Record<string, string> = {
    'edgeward.yaml': 'edgeward.schema.json',
    'edgeward-dns.yaml': 'edgeward.schema.json',
    'edge.yaml': 'edge.schema.json',
    'edge-standalone.yaml': 'edge.schema.json',
    'edge-protected.yaml': 'edge.schema.json',
  }
  for (const [name, schemaName] of Object.entries(schemas)) {
    const text = await readFile(path.join(examples, name), 'utf8')
    t.match(text, `$schema=../../docs/reference/${schemaName}\n`)
    const schema = z.fromJSONSchema(JSON.parse(referenceFiles().get(schemaName) ?? 'false'))
    const settings = parse(text)
    t.equal(schema.safeParse(settings).error, undefined, name)
    t.equal(schema.safeParse({ ...settings, colour: 'red' }).success, false)
    t.equal(schema.safeParse({ ...settings, properties: 'all' }).success, false)
  }
})
