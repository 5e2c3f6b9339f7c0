// Files of client networks (`coverage.file`), one a line: read when the configuration is, and joined to the networks
// that stand in it. Lines that are no network stop the start; a network that is there twice is only worth a warning.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { messageOf, systemCode } from '../errors.ts'
import { formatNetwork, parseNetwork, networkProblem } from '../net/ip.ts'
import type { ConfigProblem } from './config-error.ts'
import { formatKeyPath } from './key-path.ts'
import type { KeyPath } from './key-path.ts'
import type { SiteSettings } from './scheduler-schema.ts'
import type { ConfigDocument } from './yaml-file.ts'

/** A million networks; more is refused. */
const FILE_BYTES_MAX = 64 * 2 ** 20
/** Of one file; what else is wrong is counted in one more line. */
const PROBLEMS_MAX = 20
/** The longest network. Longer lines are of something else, perhaps secret, and are not repeated. */
const QUOTED_MAX = '0000:0000:0000:0000:0000:0000:255.255.255.255/128'.length

export interface CoverageFindings {
  /** Stop the start. */
  readonly problems: readonly ConfigProblem[]
  readonly warnings: readonly ConfigProblem[]
}

/** Gives the bytes of a file, or why there are none. */
export type ReadCoverage = (name: string) => Promise<Buffer | string>

/** Relative names are meant from `directory`. */
export function coverageFrom(directory: string): ReadCoverage {
  return (name) => readBounded(path.resolve(directory, name))
}

/** Adds each site's networks from its file to its own. Relative names are meant from `directory`. */
export async function takeCoverageFiles(
  sites: readonly SiteSettings[],
  directory: string,
  document: ConfigDocument,
  read: ReadCoverage,
): Promise<CoverageFindings> {
  const problems: ConfigProblem[] = []
  const warnings: ConfigProblem[] = []
  /** Network → where it was first: the place, and the site. */
  const seen = new Map<string, { place: string; site: number }>()
  for (const [site, { coverage }] of sites.entries()) {
    for (const [i, text] of coverage.networks.entries()) {
      seen.set(plain(text), { place: formatKeyPath(['sites', site, 'coverage', 'networks', i]), site })
    }
  }
  for (const [site, { coverage }] of sites.entries()) {
    if (coverage.file === undefined) continue
    const file = path.resolve(directory, coverage.file)
    const at: KeyPath = ['sites', site, 'coverage', 'file']
    const say = (message: string) => ({ path: formatKeyPath(at), line: document.lineOf(at), message })
    const bytes = await read(coverage.file)
    if (typeof bytes === 'string') {
      problems.push(say(`${file} ${bytes}`))
      continue
    }
    const bad = new Few(say, 'lines are no networks')
    const twice = new Few(say, 'networks are there twice')
    for (const { line, text } of linesOf(bytes)) {
      const place = `${file}:${line}`
      const problem = networkProblem(text)
      if (problem !== undefined) {
        bad.add(`${place}: ${quoted(text)} ${problem}`)
        continue
      }
      const network = plain(text)
      const earlier = seen.get(network)
      if (earlier === undefined) seen.set(network, { place, site })
      else {
        const spread = earlier.site === site ? '' : ': its clients are spread over both sites'
        twice.add(`${place}: ${network} is also ${earlier.place}${spread}`)
      }
      if (earlier?.site !== site) coverage.networks.push(network)
    }
    problems.push(...bad.all())
    warnings.push(...twice.all())
  }
  return { problems, warnings }
}

function plain(text: string): string {
  const network = parseNetwork(text)
  return network === undefined ? text : formatNetwork(network)
}

function quoted(text: string): string {
  return text.length <= QUOTED_MAX && /^[\x20-\x7e]+$/.test(text) ? JSON.stringify(text) : 'the line'
}

/** What stands before a `#`; lines without anything are left out. */
function* linesOf(bytes: Buffer): Generator<{ line: number; text: string }> {
  // Drops a byte order mark. Whatever is not UTF-8 is no network either.
  const lines = new TextDecoder().decode(bytes).split('\n')
  for (const [i, whole] of lines.entries()) {
    const comment = whole.indexOf('#')
    const text = (comment < 0 ? whole : whole.slice(0, comment)).trim()
    if (text !== '') yield { line: i + 1, text }
  }
}

/** The first problems of a kind, and how many more there are. */
class Few {
  readonly #say: (message: string) => ConfigProblem
  readonly #rest: string
  readonly #said: ConfigProblem[] = []
  #more = 0

  constructor(say: (message: string) => ConfigProblem, rest: string) {
    this.#say = say
    this.#rest = rest
  }

  add(message: string): void {
    if (this.#said.length < PROBLEMS_MAX) this.#said.push(this.#say(message))
    else this.#more += 1
  }

  all(): ConfigProblem[] {
    return this.#more === 0 ? this.#said : [...this.#said, this.#say(`${this.#more} more ${this.#rest}`)]
  }
}

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a directory, not a file',
  EACCES: 'cannot be read: permission denied',
}

/** The bytes, or why there are none. A pipe or a device, on which a start would wait or never end, is refused. */
async function readBounded(file: string): Promise<Buffer | string> {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = await handle.stat()
    if (stats.isDirectory()) return 'is a directory, not a file'
    if (!stats.isFile()) return 'is not a regular file'
    if (stats.size > FILE_BYTES_MAX) return `is larger than ${FILE_BYTES_MAX / 2 ** 20} MiB`
    return await handle.readFile()
  } catch (error) {
    return READ_FAILURES[systemCode(error) ?? ''] ?? `cannot be read: ${messageOf(error)}`
  }
}
