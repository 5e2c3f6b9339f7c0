// How much of the file system a cache directory must leave free, whatever its configured size.
import { statfs } from 'node:fs/promises'
import { FREE_BYTES_DEFAULT_MAX, FREE_SHARE_DEFAULT } from '../limits.ts'

export interface FileSystem {
  readonly bsize: number
  readonly blocks: number
  /** Blocks that are free to other users than root. */
  readonly bavail: number
}

/** Bytes to give back so that `free`, or the default, is free; 0 or less when it is. */
export function shortfallOf(system: FileSystem, free: number | undefined): number {
  const wanted = free ?? Math.min(FREE_BYTES_DEFAULT_MAX, FREE_SHARE_DEFAULT * system.blocks * system.bsize)
  return wanted - system.bavail * system.bsize
}

export async function loadShortfall(directory: string, free: number | undefined): Promise<number> {
  return shortfallOf(await statfs(directory), free)
}
