// The last configuration from the scheduler, kept on disk so that an edge starts and serves without it.
import { readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { messageOf, systemCode } from '../../src/errors.ts'
import type { Logger } from '../../src/log.ts'
import { edgeConfigSchema } from '../../src/wire/edge-config.ts'
import type { EdgeConfig } from '../../src/wire/edge-config.ts'

const FILE = 'edge-config.json'

/** undefined when there is none, or none that is whole. */
export async function loadSavedConfig(directory: string, log: Logger): Promise<EdgeConfig | undefined> {
  try {
    return edgeConfigSchema.parse(JSON.parse(await readFile(path.join(directory, FILE), 'utf8')))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT')
      log.warn({ err: messageOf(error) }, 'saved configuration is not usable')
    return undefined
  }
}

export async function saveConfig(directory: string, config: EdgeConfig): Promise<void> {
  const file = path.join(directory, FILE)
  await writeFile(`${file}.new`, JSON.stringify(config), { mode: 0o600 })
  await rename(`${file}.new`, file)
}
