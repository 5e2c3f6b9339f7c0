// What was purged, on disk: a line a purge, written and synced before the scheduler hears that it is applied, so that an
// edge that starts again holds what is on its disk against it. Written anew, shorter, at each start, when it has become
// long, and after a write that failed.
import { open, readFile, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { systemCode } from '../../src/errors.ts'
import { eventIdSchema, purgeSchema } from '../../src/wire/events.ts'
import { PURGE_JOURNAL_LINES_MAX } from '../limits.ts'
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

export interface ReadJournal extends JournalContent {
  /** A line of it could not be read: more may have been purged than it says. */
  readonly damaged: boolean
}

/**
 * undefined when there is none. A last line that was not written to its end is no damage: nobody was told that it is
 * applied.
 */
export async function readJournal(directory: string): Promise<ReadJournal | undefined> {
  let text: string
  try {
    text = await readFile(path.join(directory, FILE), 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  const purges: CountedPurge[] = []
  let last: string | undefined
  let damaged = false
  for (const line of text.split('\n').slice(0, -1)) {
    const parsed = lineSchema.safeParse(parseJson(line))
    if (!parsed.success) damaged = true
    else if ('last' in parsed.data) last = parsed.data.last
    else purges.push(parsed.data)
  }
  return { purges, last: last ?? '', damaged: damaged || last === undefined }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export class PurgeJournal {
  readonly #directory: string
  /** null: it has to be written anew. */
  #file: FileHandle | null = null
  #lines = 0

  constructor(directory: string) {
    this.#directory = directory
  }

  /**
   * Resolves when it is on disk. `all`: what stands in the file when it is written anew. Rejects when it could not be
   * written, and writes it anew the next time.
   */
  async write({ purges, last }: JournalContent, all: () => readonly CountedPurge[]): Promise<void> {
    try {
      const lines = this.#lines + purges.length + 1
      if (this.#file === null || lines > PURGE_JOURNAL_LINES_MAX)
        await this.#writeAnew({ purges: all(), last })
      else {
        await this.#file.appendFile(textOf({ purges, last }))
        await this.#file.datasync()
        this.#lines = lines
      }
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.close()
  }

  /** Beside the old file, whose place it then takes. */
  async #writeAnew(content: JournalContent): Promise<void> {
    await this.close()
    const name = path.join(this.#directory, FILE)
    await rm(`${name}.new`, { force: true })
    this.#file = await open(`${name}.new`, 'ax', 0o600)
    await this.#file.appendFile(textOf(content))
    await this.#file.sync()
    await rename(`${name}.new`, name)
    await syncDirectory(this.#directory)
    // Counted from here: what is all there is may be long itself.
    this.#lines = 0
  }
}

/** So that the new name, too, outlives a loss of power. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function textOf({ purges, last }: JournalContent): string {
  return [...purges, { last }].map((line) => `${JSON.stringify(line)}\n`).join('')
}
