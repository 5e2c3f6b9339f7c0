// Reads one configuration file: bytes → YAML → plain values, with the line of every key path and with
// `${NAME}` replaced. What only YAML can get wrong (syntax, duplicate keys, aliases, tags) is found here.
import { createReadStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Scalar, YAMLMap, YAMLParseError, YAMLSeq, YAMLWarning } from 'yaml'
import { messageOf, systemCode } from '../errors.ts'
import { ConfigError } from './config-error.ts'
import type { ConfigProblem } from './config-error.ts'
import { hasReference, plainScalar, replaceReferences } from './environment.ts'
import type { References } from './environment.ts'
import { formatKeyPath } from './key-path.ts'
import type { KeyPath } from './key-path.ts'

/** Ten thousand edges are some 4 MiB; beyond this it is the wrong file. */
const FILE_BYTES_MAX = 8 * 2 ** 20
/** Values reached through aliases, so that nested aliases cannot multiply without end. */
const ALIAS_VALUES_MAX = 10_000
const DEPTH_MAX = 64

export interface ConfigDocument {
  readonly file: string
  /** Plain values; mappings have no prototype, so that a key is only ever a key. */
  readonly root: unknown
  /** The values as they stand, references in them: only of a document without problems. */
  unresolved(): unknown
  /** Found while reading; the caller adds its own. */
  readonly problems: readonly ConfigProblem[]
  /** Line of a value, of the nearest value around it where it is missing. */
  lineOf(path: KeyPath): number
  /** Line of a key itself. */
  keyLineOf(path: KeyPath): number
  /** True when a reference in it could not be replaced: nothing more is to be said of this value. */
  isUnresolved(path: KeyPath): boolean
  /** True when the value holds that of an environment variable or a file: it is never printed. */
  isFromEnvironment(path: KeyPath): boolean
}

/** Throws ConfigError when the file cannot be read or is not YAML. */
export async function readConfigFile(file: string, env: NodeJS.ProcessEnv): Promise<ConfigDocument> {
  return parseConfigText(file, await readConfigText(file), env)
}

const READ_FAILURES: Record<string, string> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a directory, not a file',
  EACCES: 'cannot be read: permission denied',
}

/** Throws ConfigError when it cannot be read. */
export async function readConfigText(file: string): Promise<string> {
  const fail = (message: string) => new ConfigError(file, [{ path: '', line: null, message }])
  const chunks: Buffer[] = []
  try {
    // `end` is inclusive: one byte over the bound tells that there is more.
    for await (const chunk of createReadStream(file, { end: FILE_BYTES_MAX })) chunks.push(chunk)
  } catch (error) {
    throw fail(READ_FAILURES[systemCode(error) ?? ''] ?? `cannot be read: ${messageOf(error)}`)
  }
  const bytes = Buffer.concat(chunks)
  if (bytes.length > FILE_BYTES_MAX) throw fail(`is larger than ${FILE_BYTES_MAX / 2 ** 20} MiB`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw fail('is not UTF-8 text')
  }
}

export function parseConfigText(file: string, text: string, env: NodeJS.ProcessEnv): ConfigDocument {
  const lines = new LineCounter()
  const yaml = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    // Found below, with the key's path.
    uniqueKeys: false,
  })
  const faults = [...yaml.errors, ...yaml.warnings]
  if (faults.length > 0) throw new ConfigError(file, syntaxProblems(faults, text, lines))
  const directory = dirname(resolve(file))
  const document = new DocumentReader(lines, { env, directory }).read(file, yaml.contents)
  // Aliases were bounded by the reader.
  return { ...document, unresolved: () => yaml.toJS({ maxAliasCount: -1 }) }
}

/** One a line: a fault of YAML often drags others behind it. The parser's texts may quote secrets. */
function syntaxProblems(
  faults: readonly (YAMLParseError | YAMLWarning)[],
  text: string,
  lines: LineCounter,
): ConfigProblem[] {
  const textLines = text.split('\n')
  const byLine = new Map<number, string>()
  for (const { code, pos } of faults) {
    const line = lineAt(lines, Math.min(pos[0], Math.max(0, text.trimEnd().length - 1)))
    if (byLine.has(line)) continue
    const hint =
      textLines[line - 1]?.includes('${') === true ? '; inside { } and [ ] put "${NAME}" in quotes' : ''
    byLine.set(line, `${SYNTAX_WORDS[code] ?? 'is not valid YAML here'}${hint}`)
  }
  return [...byLine]
    .map(([line, message]) => ({ path: '', line, message }))
    .toSorted((x, y) => x.line - y.line)
}

const SYNTAX_WORDS: Partial<Record<YAMLParseError['code'], string>> = {
  BAD_ALIAS: 'an alias names no anchor before it',
  BAD_DQ_ESCAPE: 'an escape in double quotes is not valid; use single quotes or double the backslash',
  BAD_INDENT: 'the indentation does not fit the lines around it',
  BAD_SCALAR_START: 'a text cannot start with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a text with ": " in it needs quotes, or the indentation does not fit',
  MISSING_CHAR: 'a quote, bracket, comma, colon or space is missing',
  MULTILINE_IMPLICIT_KEY: 'a key needs ": " after it on the same line',
  MULTIPLE_DOCS: 'holds more than one YAML document; remove the "---"',
  NON_STRING_KEY: 'a key must be a plain text',
  RESOURCE_EXHAUSTION: 'is nested too deeply',
  TAB_AS_INDENT: 'a tab is used for indentation; use spaces',
  TAG_RESOLVE_FAILED: 'tags such as !name are not used here; a text that starts with "!" needs quotes',
  UNEXPECTED_TOKEN: 'this is not expected here; a text with special characters needs quotes',
}

function lineAt(lines: LineCounter, offset: number): number {
  return Math.max(1, lines.linePos(offset).line)
}

/** Owns the maps that one walk over the YAML nodes fills. */
class DocumentReader {
  readonly #lines: LineCounter
  readonly #references: References
  readonly #problems: ConfigProblem[] = []
  readonly #valueLines = new Map<string, number>()
  readonly #keyLines = new Map<string, number>()
  readonly #unresolved = new Set<string>()
  readonly #fromEnvironment = new Set<string>()
  readonly #anchors = new Map<string, YAMLMap | YAMLSeq | Scalar>()
  #aliasDepth = 0
  #aliasValues = 0
  #tooManyAliases: KeyPath | undefined

  constructor(lines: LineCounter, references: References) {
    this.#lines = lines
    this.#references = references
  }

  read(file: string, contents: unknown): Omit<ConfigDocument, 'unresolved'> {
    const root = this.#value(contents, [])
    // Said once, however many more there are.
    if (this.#tooManyAliases !== undefined) this.#refuse(this.#tooManyAliases, 'repeats too much by aliases')
    const lineOf = (path: KeyPath): number => {
      for (let length = path.length; length >= 0; length -= 1) {
        const line = this.#valueLines.get(formatKeyPath(path.slice(0, length)))
        if (line !== undefined) return line
      }
      return 1
    }
    return {
      file,
      root,
      problems: this.#problems,
      lineOf,
      keyLineOf: (path) => this.#keyLines.get(formatKeyPath(path)) ?? lineOf(path),
      isUnresolved: (path) =>
        [...path.keys(), path.length].some((end) => this.#unresolved.has(formatKeyPath(path.slice(0, end)))),
      isFromEnvironment: (path) => this.#fromEnvironment.has(formatKeyPath(path)),
    }
  }

  #value(node: unknown, path: KeyPath): unknown {
    this.#noteLine(node, path)
    if (this.#aliasDepth > 0) this.#aliasValues += 1
    if (isAlias(node)) return this.#aliased(node.source, path)
    const anchored = this.#aliasDepth === 0 && (isMap(node) || isSeq(node) || isScalar(node))
    if (anchored && node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    if (path.length > DEPTH_MAX) return this.#refuse(path, 'is nested too deeply')
    if (isMap(node)) return this.#mapping(node, path)
    if (isSeq(node)) return this.#list(node, path)
    if (!isScalar(node)) return null
    if (typeof node.value !== 'string' || !hasReference(node.value)) return node.value
    return this.#replaced(node.value, node.type === 'PLAIN', path)
  }

  /** A list or mapping below a key stands where its key does: that is the line to look at. */
  #noteLine(node: unknown, path: KeyPath): void {
    const text = formatKeyPath(path)
    const keyLine = this.#keyLines.get(text)
    const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined
    const own = range ? lineAt(this.#lines, range[0]) : undefined
    const line = isScalar(node) ? (own ?? keyLine) : (keyLine ?? own)
    if (line !== undefined && !this.#valueLines.has(text)) this.#valueLines.set(text, line)
  }

  #aliased(anchor: string, path: KeyPath): unknown {
    const node = this.#anchors.get(anchor)
    if (node === undefined) return this.#refuse(path, 'is an alias of no anchor before it')
    if (this.#aliasValues > ALIAS_VALUES_MAX) {
      this.#tooManyAliases ??= path
      this.#unresolved.add(formatKeyPath(path))
      return undefined
    }
    this.#aliasDepth += 1
    const value = this.#value(node, path)
    this.#aliasDepth -= 1
    return value
  }

  #mapping(node: YAMLMap, path: KeyPath): unknown {
    const record: Record<string, unknown> = Object.create(null)
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : String(key)
      const keyPath = [...path, name]
      const line = isScalar(key) && key.range ? lineAt(this.#lines, key.range[0]) : 1
      const text = formatKeyPath(keyPath)
      const first = this.#keyLines.get(text)
      if (name in record) {
        const message = `is given twice (first on line ${first ?? line})`
        this.#problems.push({ path: text, line, message })
        continue
      }
      this.#keyLines.set(text, line)
      record[name] = this.#value(value, keyPath)
    }
    return record
  }

  #list(node: YAMLSeq, path: KeyPath): unknown {
    return node.items.map((item, i) => this.#value(item, [...path, i]))
  }

  #replaced(source: string, plain: boolean, path: KeyPath): unknown {
    const { text, used, isText, problems } = replaceReferences(source, this.#references)
    const keyText = formatKeyPath(path)
    if (used) this.#fromEnvironment.add(keyText)
    for (const message of problems) this.#refuse(path, message)
    if (problems.length > 0) return undefined
    return plain && used && !isText ? plainScalar(text) : text
  }

  #refuse(path: KeyPath, message: string): undefined {
    const text = formatKeyPath(path)
    this.#problems.push({ path: text, line: this.#valueLines.get(text) ?? 1, message })
    this.#unresolved.add(text)
  }
}
