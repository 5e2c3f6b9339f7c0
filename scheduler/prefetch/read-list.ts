// Takes a list of URLs into the store, chunk after chunk, and counts what is whose. The first line that cannot be taken
// ends it, by its number: of a list with a mistake nothing is begun.
import { z } from 'zod'
import { PREFETCH_PATH_CHARS_MAX } from '../../src/wire/prefetch.ts'
import type { PrefetchUrl } from '../../src/wire/prefetch.ts'
import { readContentUrl } from '../content-url.ts'
import { PREFETCH_CHUNK_URLS, PREFETCH_LIST_BYTES_MAX, PREFETCH_URLS_MAX } from '../limits.ts'
import type { PropertyView, Topology } from '../topology.ts'
import { LineError } from './list-lines.ts'
import type { ListLine } from './list-lines.ts'
import type { Owners } from './owners.ts'
import type { PrefetchStore } from './prefetch-store.ts'

export interface TakenList {
  readonly urls: number
  readonly bytes: number
  /** Edge → how many of them. */
  readonly parts: Readonly<Record<string, number>>
}

export interface ListDeps {
  readonly store: PrefetchStore
  readonly topology: Topology
  readonly owners: Owners
}

/** Throws LineError. */
export async function takeList(
  id: string,
  lines: AsyncIterable<ListLine> | Iterable<ListLine>,
  { store, topology, owners }: ListDeps,
): Promise<TakenList> {
  const parts = new Map<string, number>()
  let chunk: string[] = []
  let urls = 0
  let bytes = 0
  const write = async () => {
    const text = chunk.join('\n')
    chunk = []
    bytes += text.length
    await store.appendChunk(id, text)
  }
  for await (const line of lines) {
    const refuse = (message: string) => new LineError(line.number, message)
    const asked = readLine(line.text, topology)
    if ('problem' in asked) throw refuse(asked.problem)
    if (urls === PREFETCH_URLS_MAX) throw refuse(`is one more than ${PREFETCH_URLS_MAX} URLs`)
    if (bytes > PREFETCH_LIST_BYTES_MAX) throw refuse('makes the list too long; divide it')
    const { property, path } = asked
    const edges = owners.of(property, path.split('?', 1)[0] ?? '')
    if (edges.length === 0) throw refuse(`no edge of these sites may serve property "${property.id}"`)
    for (const edge of edges) parts.set(edge.id, (parts.get(edge.id) ?? 0) + 1)
    urls += 1
    chunk.push(`${property.id} ${path}`)
    if (chunk.length === PREFETCH_CHUNK_URLS) await write()
  }
  if (chunk.length > 0) await write()
  return { urls, bytes, parts: Object.fromEntries(parts) }
}

/** The other way round: what stands in a chunk. */
export function urlsIn(chunk: string): PrefetchUrl[] {
  return chunk.split('\n').map((line) => {
    const space = line.indexOf(' ')
    return { property: line.slice(0, space), path: line.slice(space + 1) }
  })
}

interface Asked {
  readonly property: PropertyView
  /** With its query. */
  readonly path: string
}

/** A URL, or as NDJSON has it `{"url": …}`. */
function readLine(text: string, topology: Topology): Asked | { readonly problem: string } {
  const url = text.startsWith('{') || text.startsWith('"') ? urlOfJson(text) : text
  if (url === undefined) return { problem: 'must be a URL, or JSON such as {"url": "https://…"}' }
  const read = readContentUrl(url, topology.properties)
  if ('problem' in read) return read
  const path = read.path + read.search
  if (path.length > PREFETCH_PATH_CHARS_MAX)
    return { problem: `its path is longer than ${PREFETCH_PATH_CHARS_MAX} characters` }
  return { property: read.property, path: withoutTokens(read.property, path, url) }
}

const jsonLineSchema = z.union([z.string(), z.strictObject({ url: z.string() }).transform(({ url }) => url)])

function urlOfJson(text: string): string | undefined {
  try {
    return jsonLineSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** As an edge takes them off before it looks up: what is cached has none. */
function withoutTokens({ access }: PropertyView, target: string, url: string): string {
  if (access.tokens === null) return target
  const { host, protocol } = new URL(url)
  const query = {
    target,
    scheme: protocol === 'https:' ? ('https' as const) : ('http' as const),
    host,
    method: 'GET',
    address: '',
    nowMs: 0,
    header: () => undefined,
  }
  return access.tokens.gate.take(query).target
}
