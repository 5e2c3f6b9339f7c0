// A disk tier on real directories, without an edge around it. A crash is played by copying the directories:
// that is what the next process finds, while this one lives on and holds their locks.
import { cpSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { BufferPool } from '../../edge/cache/buffer-pool.ts'
import type { DirectorySettings } from '../../edge/cache/disk/disk-directory.ts'
import { DiskTier } from '../../edge/cache/disk/disk-tier.ts'
import type { DiskSlice } from '../../edge/cache/disk/disk-tier.ts'
import type { Background } from '../../src/background.ts'
import { recordingLog } from './recording-log.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'

export class DiskRig {
  readonly directories: string[]
  readonly tier: DiskTier
  readonly lines: unknown[]
  #work: Promise<unknown>[] = []
  #closed = false
  #copies = 0

  constructor(directories: string[], settings: Omit<DirectorySettings, 'path'>) {
    this.directories = directories
    const { log, lines } = recordingLog()
    this.lines = lines
    const background: Background = (_name, work) => void this.#work.push(work)
    this.tier = new DiskTier(
      directories.map((directory) => ({ ...settings, path: directory })),
      new BufferPool(),
      log,
      background,
      () => {},
    )
  }

  /** Everything queued is done: writes, unlinks, the index. Fails when one of them did. */
  async settle(): Promise<void> {
    while (this.#work.length > 0) await Promise.all(this.#work.splice(0))
  }

  async close(): Promise<void> {
    await this.settle()
    await this.tier.close()
    this.#closed = true
  }

  /** The next process on these directories: after a clean stop when this one is closed, else after a crash. */
  successor(
    settings: Omit<DirectorySettings, 'path'>,
    damage: (directories: string[]) => void = () => {},
  ): DiskRig {
    const copy = `-${++this.#copies}`
    const directories = this.#closed ? this.directories : this.directories.map((from) => from + copy)
    directories.forEach((to, i) => {
      const from = this.directories[i] ?? ''
      if (from !== to) cpSync(from, to, { recursive: true, preserveTimestamps: true })
    })
    damage(directories)
    return new DiskRig(directories, settings)
  }

  files(): string[] {
    return sliceFiles(this.directories)
  }

  /** The body, or undefined; the slice is closed. */
  async read(key: string, index = 0): Promise<Buffer | undefined> {
    const slice = await this.tier.open(key, index)
    return slice === undefined ? undefined : readAll(slice)
  }
}

export async function openRig(
  t: TestScope,
  settings: Omit<DirectorySettings, 'path'>,
  count = 1,
): Promise<DiskRig> {
  const parent = await tempDirectory(t)
  const directories = Array.from({ length: count }, (_, i) => path.join(parent, String(i)))
  return new DiskRig(directories, settings)
}

/** Files of slices: under two hex digits. */
export function sliceFiles(directories: readonly string[]): string[] {
  return directories.flatMap((cwd) =>
    globSync('[0-9a-f][0-9a-f]/*', { cwd }).map((file) => path.join(cwd, file)),
  )
}

/** The one that holds this text. */
export function fileWith(directories: readonly string[], text: string): string {
  const file = sliceFiles(directories).find((name) => readFileSync(name).includes(text))
  if (file === undefined) throw new Error(`no file with ${text}`)
  return file
}

export async function readAll(slice: DiskSlice): Promise<Buffer> {
  const body = Buffer.alloc(slice.length)
  const got = await slice.read(body, 0, body.length)
  slice.close()
  return body.subarray(0, got)
}
