// The keys of edgeward.yaml that are a scheduler's own: where it listens, with what it is opened. Schedulers of one
// cluster may differ in them, and each needs a restart to change them; all else is the cluster's, and changes live.
import { formatKeyPath } from './key-path.ts'
import type { KeyPath } from './key-path.ts'
import { valueAt } from './raw.ts'
import type { ConfigDocument } from './yaml-file.ts'

const DNS = ['scheduler', 'dns']

const OWN_KEYS: readonly KeyPath[] = [
  ['cluster'],
  ['scheduler', 'steering', 'listen'],
  ['scheduler', 'steering', 'tls'],
  ['scheduler', 'control'],
  ['scheduler', 'admin'],
  ['scheduler', 'redis'],
  ['scheduler', 'geoip'],
  [...DNS, 'listen'],
  [...DNS, 'reusePort'],
  [...DNS, 'udpBatches'],
  [...DNS, 'nsid'],
  [...DNS, 'dnssec'],
  [...DNS, 'schedulers'],
]

/** The values of the own keys, and whether there is DNS at all, as texts that can be compared. */
export type OwnValues = ReadonlyMap<string, string>

/** Of settings, which have their defaults. */
export function ownValuesOf(settings: object): OwnValues {
  const values = OWN_KEYS.map((key): [string, string] => [formatKeyPath(key), textOf(valueAt(settings, key))])
  return new Map([...values, [formatKeyPath(DNS), String(valueAt(settings, DNS) !== undefined)]])
}

/** The keys whose values differ. */
export function changedKeys(before: OwnValues, after: OwnValues): string[] {
  const changed = [...after].flatMap(([key, text]) => (before.get(key) === text ? [] : key))
  // With or without DNS, all of its keys differ.
  const dns = formatKeyPath(DNS)
  return changed.includes(dns) ? changed.filter((key) => !key.startsWith(`${dns}.`)) : changed
}

/** The own keys alone, of a file that was read. */
export function ownPartOf(root: unknown): unknown {
  // That there is DNS shows, also where it names no own key.
  const empty =
    valueAt(root, DNS) === undefined ? mappingOf([]) : withValue(mappingOf([]), DNS, mappingOf([]))
  return OWN_KEYS.reduce((part, key) => {
    const value = valueAt(root, key)
    return value === undefined ? part : withValue(part, key, value)
  }, empty)
}

/** What the file says for the whole cluster. `root` is not changed. */
export function withoutOwnKeys(root: unknown): unknown {
  return OWN_KEYS.reduce((rest, key) => without(rest, key), root)
}

/** The document with the own keys of this scheduler: `own` is that part of its own file. */
export function withOwnKeys(document: ConfigDocument, own: unknown): ConfigDocument {
  const root = OWN_KEYS.reduce((joined, key) => {
    // Whether there is DNS is the cluster's to say; a file without it says nothing of how to listen.
    if (!hasParents(joined, key) || !hasParents(own, key)) return joined
    const value = valueAt(own, key)
    return value === undefined ? without(joined, key) : withValue(joined, key, value)
  }, document.root)
  const isOwn = (path: string) => OWN_KEYS.some((key) => isBelow(path, formatKeyPath(key)))
  return { ...document, root, problems: document.problems.filter(({ path }) => !isOwn(path)) }
}

/** Of what is about DNS, the mappings around the key. */
function hasParents(root: unknown, key: KeyPath): boolean {
  if (key[1] !== 'dns') return true
  return valueAt(root, key.slice(0, -1)) !== undefined
}

function isBelow(path: string, key: string): boolean {
  return path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`)
}

function without(root: unknown, [first, ...rest]: KeyPath): unknown {
  if (first === undefined || !isMapping(root) || !Object.hasOwn(root, first)) return root
  const entries = Object.entries(root)
  if (rest.length === 0) return mappingOf(entries.filter(([name]) => name !== first))
  return mappingOf(entries.map(([name, value]) => [name, name === first ? without(value, rest) : value]))
}

function withValue(root: unknown, [first, ...rest]: KeyPath, value: unknown): unknown {
  if (first === undefined) return value
  const entries = isMapping(root) ? Object.entries(root) : []
  const inner = entries.find(([name]) => name === first)?.[1]
  const others = entries.filter(([name]) => name !== first)
  return mappingOf([...others, [String(first), withValue(inner, rest, value)]])
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Without a prototype, as the reader makes them. */
function mappingOf(entries: readonly [string, unknown][]): unknown {
  const mapping: Record<string, unknown> = Object.create(null)
  for (const [name, value] of entries) mapping[name] = value
  return mapping
}

function textOf(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value)
}
