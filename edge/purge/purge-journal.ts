// What was purged, on disk: a line a purge, written and synced before the scheduler hears that it is applied, so that an
// edge that starts again holds what is on its disk against it. Written anew, shorter, at each start.
import { open, readFile, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { systemCode } from '../../src/errors.ts'
import { eventIdSchema, purgeSchema } from '../../src/wire/events.ts'
import type { CountedPurge } from './purge-rules.ts'

const FILE = 'purges.log'

const lineSchema = z.union([
  z.strictObject({ count: z.number().int().positive(), purge: purgeSchema }),
  /** Everything up to this event is applied. */
  z.strictObject({ last: z.union([eventIdSchema, z.literal('')]) }),
])

export interface JournalContent {
  readonly purges: readonly CountedPurge[]
  readonly last: string
}

/**
 * undefined when there is none, or what it says is not whole up to its end: the edge then cannot know what it missed. A
 * last line that was not written to its end does not count: nobody was told that it is applied.
 */
export async function readJournal(directory: string): Promise<JournalContent | undefined> {
  let text: string
  try {
    text = await readFile(path.join(directory, FILE), 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  const lines = text.split('\n').slice(0, -1)
  const purges: CountedPurge[] = []
  let last: string | undefined
  for (const line of lines) {
    const parsed = lineSchema.safeParse(parseJson(line))
    if (!parsed.success) return undefined
    if ('last' in parsed.data) last = parsed.data.last
    else purges.push(parsed.data)
  }
  return last === undefined ? undefined : { purges, last }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export class PurgeJournal {
  readonly #file: FileHandle

  private constructor(file: FileHandle) {
    this.#file = file
  }

  /** Writes what is known anew, beside the old file, and takes its place. */
  static async create(directory: string, { purges, last }: JournalContent): Promise<PurgeJournal> {
    const name = path.join(directory, FILE)
    await rm(`${name}.new`, { force: true })
    const file = await open(`${name}.new`, 'ax', 0o600)
    await file.appendFile([...purges.map(lineOf), lineOf({ last })].join(''))
    await file.sync()
    await rename(`${name}.new`, name)
    return new PurgeJournal(file)
  }

  /** Resolves when it is on disk. */
  async write(purges: readonly CountedPurge[], last: string): Promise<void> {
    await this.#file.appendFile([...purges.map(lineOf), lineOf({ last })].join(''))
    await this.#file.sync()
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

function lineOf(line: CountedPurge | { readonly last: string }): string {
  return `${JSON.stringify(line)}\n`
}
