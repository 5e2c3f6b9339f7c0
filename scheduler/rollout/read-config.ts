// Reads and checks a configuration in a thread of its own: of a thousand edges it takes a second, in which clients would
// wait. This file is both sides: what asks, and what runs in the thread.
import assert from 'node:assert'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ConfigError } from '../../src/config/config-error.ts'
import type { ConfigProblem } from '../../src/config/config-error.ts'
import { coverageFrom } from '../../src/config/coverage-files.ts'
import { loadSchedulerConfig, loadSchedulerText } from '../../src/config/load.ts'
import type { SchedulerConfig } from '../../src/config/load.ts'
import { packSource, readKept } from './packed-source.ts'
import type { KeptSource } from './packed-source.ts'

/** What is known of it beside its settings. */
export interface ReadConfig extends Omit<SchedulerConfig, 'source'> {
  /** Of the settings with all that they refer to. */
  readonly digest: string
  /** What it was made from. */
  readonly packed: Buffer
}

/** `kept`: a version that stands in for the file. */
export interface ReadRequest {
  readonly file: string
  readonly directory: string
  readonly env: NodeJS.ProcessEnv
  readonly kept: { readonly source: KeptSource; readonly own: unknown } | null
}

type Answer =
  | { readonly config: ReadConfig }
  | { readonly refused: { readonly file: string; readonly problems: readonly ConfigProblem[] } }

const IS_READER = 'edgeward: reads a configuration'

/** Throws ConfigError. */
export async function readConfigAside(request: ReadRequest): Promise<ReadConfig> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { [IS_READER]: request } })
  const ended = new AbortController()
  worker.once('exit', () => ended.abort())
  try {
    // An error of the thread rejects here too.
    const [answer]: Answer[] = await once(worker, 'message', { signal: ended.signal })
    assert(answer !== undefined, 'the thread answers')
    if ('refused' in answer) throw new ConfigError(answer.refused.file, answer.refused.problems)
    const { config } = answer
    // A buffer comes out of another thread as plain bytes.
    return { ...config, packed: Buffer.from(config.packed) }
  } finally {
    await worker.terminate()
  }
}

export function identified({ source, ...config }: SchedulerConfig): ReadConfig {
  const digest = createHash('sha256').update(JSON.stringify(config.settings)).digest('hex')
  return { ...config, digest, packed: packSource(source) }
}

async function read({ file, directory, env, kept }: ReadRequest): Promise<Answer> {
  try {
    if (kept === null) return { config: identified(await loadSchedulerConfig(file, env)) }
    const options = { read: readKept(kept.source, coverageFrom(directory)), own: kept.own }
    return { config: identified(await loadSchedulerText(file, kept.source.text, env, options)) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { refused: { file: error.file, problems: error.problems } }
  }
}

// In the thread, and in no other that happens to load this file. What asked knows what it sent.
const request: ReadRequest | undefined = isMainThread ? undefined : workerData?.[IS_READER]
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origins
if (request !== undefined) parentPort?.postMessage(await read(request))
