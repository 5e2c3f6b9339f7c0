// How much of the file system a cache directory leaves free, whatever its configured size. Asks the system
// again once half of what was left has been written, and now and then for what others write.
import { statfs } from 'node:fs/promises'
import { FREE_BYTES_DEFAULT_MAX, FREE_CHECK_BYTES_MAX, FREE_SHARE_DEFAULT } from '../../limits.ts'

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

/** Times that a write asks for room before it is given up. */
const ASK_MAX = 3

export class FreeSpace {
  /** There is too little room, and nothing here to evict. */
  crowded = false
  private readonly directory: string
  private readonly free: number | undefined
  /** Evicts so many bytes, or all there are; gives how many. */
  private readonly giveBack: (bytes: number) => Promise<number>
  /** Bytes of writes that wait for room, and of those under way, which the system may or may not count yet. */
  private wanted = 0
  private reserved = 0
  /** May be promised to writes before the system is asked again. */
  private allowance = 0
  private checking: Promise<void> | null = null

  constructor(directory: string, free: number | undefined, giveBack: (bytes: number) => Promise<number>) {
    this.directory = directory
    this.free = free
    this.giveBack = giveBack
  }

  /** Before a write; false when there is no room for it and none can be made. Then written() is not called. */
  async reserve(bytes: number): Promise<boolean> {
    this.wanted += bytes
    try {
      // A check that was under way may not have counted this write, and others take of what it found.
      for (let i = 0; i < ASK_MAX && this.allowance < bytes; i++) await this.check()
      if (this.allowance < bytes) return false
      this.allowance -= bytes
      this.reserved += bytes
      return true
    } finally {
      this.wanted -= bytes
    }
  }

  /** After a write, however it ended. */
  written(bytes: number): void {
    this.reserved -= bytes
  }

  /** Asks the system, and makes room where there is too little. */
  check(): Promise<void> {
    this.checking ??= this.measure().finally(() => (this.checking = null))
    return this.checking
  }

  private async measure(): Promise<void> {
    this.allowance = 0
    const slack = slackOf(await statfs(this.directory), this.free) - this.reserved
    const { wanted } = this
    const shortfall = wanted - slack
    if (shortfall <= 0) {
      this.crowded = false
      this.allowance = wanted + Math.min(FREE_CHECK_BYTES_MAX, -shortfall / 2)
      return
    }
    const evicted = await this.giveBack(shortfall)
    this.crowded = evicted < shortfall
    this.allowance = Math.max(0, Math.min(wanted, slack + evicted))
  }
}
