// How much of the file system a cache directory leaves free, whatever its configured size. Asks the system
// again once half of what was left has been written, and now and then for what others write.
import { statfs } from 'node:fs/promises'
import { FREE_BYTES_DEFAULT_MAX, FREE_CHECK_BYTES_MAX, FREE_SHARE_DEFAULT } from '../limits.ts'

export interface FileSystem {
  readonly bsize: number
  readonly blocks: number
  /** Blocks that are free to other users than root. */
  readonly bavail: number
}

/** Bytes that may still be written; negative when that much must be given back. */
export function slackOf(system: FileSystem, free: number | undefined): number {
  const wanted = free ?? Math.min(FREE_BYTES_DEFAULT_MAX, FREE_SHARE_DEFAULT * system.blocks * system.bsize)
  return system.bavail * system.bsize - wanted
}

export class FreeSpace {
  /** There is too little room, and nothing here to evict. */
  crowded = false
  private readonly directory: string
  private readonly free: number | undefined
  /** Evicts so many bytes, or all there are; gives how many. */
  private readonly giveBack: (bytes: number) => Promise<number>
  /** Bytes of writes under way: the system may or may not count them yet. */
  private reserved = 0
  /** May be written before the system is asked again. */
  private allowance = 0
  private checking: Promise<boolean> | null = null

  constructor(directory: string, free: number | undefined, giveBack: (bytes: number) => Promise<number>) {
    this.directory = directory
    this.free = free
    this.giveBack = giveBack
  }

  /** Before a write; false when there is no room for it and none can be made. Then written() is not called. */
  async reserve(bytes: number): Promise<boolean> {
    this.reserved += bytes
    this.allowance -= bytes
    let granted = this.allowance >= 0
    try {
      granted ||= await this.check()
    } finally {
      if (!granted) this.reserved -= bytes
    }
    return granted
  }

  /** After a write, however it ended. */
  written(bytes: number): void {
    this.reserved -= bytes
  }

  /** Asks the system, and makes room where there is too little; false when that was not possible. */
  check(): Promise<boolean> {
    // Those who come while room is made wait for the same room, and are counted in it or ask again soon.
    this.checking ??= this.measure().finally(() => (this.checking = null))
    return this.checking
  }

  private async measure(): Promise<boolean> {
    const slack = slackOf(await statfs(this.directory), this.free) - this.reserved
    if (slack >= 0) {
      this.crowded = false
      this.allowance = Math.min(FREE_CHECK_BYTES_MAX, slack / 2)
      return true
    }
    this.allowance = 0
    this.crowded = (await this.giveBack(-slack)) < -slack
    return !this.crowded
  }
}
