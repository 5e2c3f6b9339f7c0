// What the scheduler last sent, kept on disk so that an edge starts and serves without it: its configuration, and the
// guidance that goes with it. Both hold keys: for the edge's own user alone.
import { readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { z } from 'zod'
import { messageOf, systemCode } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import { edgeConfigSchema } from '../../src/wire/edge-config.ts'
import type { EdgeConfig } from '../../src/wire/edge-config.ts'
import { guidanceSchema } from '../../src/wire/guidance.ts'
import type { Guidance } from '../../src/wire/guidance.ts'

const CONFIG_FILE = 'edge-config.json'
const GUIDANCE_FILE = 'edge-guidance.json'

/** undefined when there is none, or none that is whole. */
export function loadSavedConfig(directory: string, log: Logger): Promise<EdgeConfig | undefined> {
  return load(path.join(directory, CONFIG_FILE), edgeConfigSchema, (err) =>
    log.warn({ err }, 'saved configuration is not usable'),
  )
}

export function saveConfig(directory: string, config: EdgeConfig): Promise<void> {
  return save(path.join(directory, CONFIG_FILE), config)
}

/** The same of guidance. */
export function loadSavedGuidance(directory: string, log: Logger): Promise<Guidance | undefined> {
  return load(path.join(directory, GUIDANCE_FILE), guidanceSchema, (err) =>
    log.warn({ err }, 'saved guidance is not usable'),
  )
}

export function saveGuidance(directory: string, guidance: Guidance): Promise<void> {
  return save(path.join(directory, GUIDANCE_FILE), guidance)
}

async function load<T>(
  file: string,
  schema: z.ZodType<T>,
  onUnusable: (err: string) => void,
): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') onUnusable(messageOf(error))
    return undefined
  }
}

async function save(file: string, value: unknown): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(value), { mode: 0o600 })
  await rename(`${file}.new`, file)
}
