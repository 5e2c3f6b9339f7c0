// A thread that looks through a cache directory after a start, apart from the one that serves: lists the
// folders, asks each file's size unless the last stop left it, sorts by age. Gives the slices in batches,
// the last to be evicted first, each when it is asked for.
import { lstatSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { IdTable } from './disk-id-table.ts'
import { parseFileName } from './disk-name.ts'
import { currentBoot, decodeSnapshot } from './disk-snapshot.ts'
import { NO_SLOT } from './eviction/slot-columns.ts'

export interface ScanRequest {
  readonly directory: string
  /** Where the snapshot of the last stop is, if there was one. */
  readonly snapshot: string | null
  readonly slicesMax: number
}

export interface ScanBatch {
  /** Three words a slice. */
  readonly ids: Uint32Array<ArrayBuffer>
  readonly bytes: Uint32Array<ArrayBuffer>
  readonly states: Uint8Array<ArrayBuffer>
  /** The last batch. */
  readonly done: boolean
  /** Files in the folders whose names no slice has. They are left alone. */
  readonly strangers: number
}

/** Inserting one takes the serving thread about half a millisecond. */
const BATCH = 1024
/** Between those of a program that matters and one that does not. */
const NICENESS = 10
/** A size that is no file's: in the snapshot, not seen on disk. */
const UNSEEN = 0xffff_ffff

export class DirectoryScan {
  strangers = 0
  private readonly request: ScanRequest
  private readonly table: IdTable
  private bytes = new Uint32Array(0)
  private states = new Uint8Array(0)
  private modified = new Float64Array(0)

  constructor(request: ScanRequest) {
    this.request = request
    this.table = new IdTable(request.slicesMax)
  }

  /** Slots of the slices found, the last to be evicted first. */
  run(): Uint32Array {
    const remembered = this.loadSnapshot()
    for (let folder = 0; folder < 256; folder++) {
      const name = folder.toString(16).padStart(2, '0')
      for (const file of this.list(name)) this.look(name, file)
    }
    return this.inOrder(remembered)
  }

  batch(order: Uint32Array, from: number): ScanBatch {
    const part = order.subarray(from, from + BATCH)
    const ids = new Uint32Array(3 * part.length)
    const bytes = new Uint32Array(part.length)
    const states = new Uint8Array(part.length)
    part.forEach((slot, i) => {
      const id = this.table.idOf(slot)
      ids.set([id.a, id.b, id.c], 3 * i)
      bytes[i] = this.bytes[slot] ?? 0
      states[i] = this.states[slot] ?? 0
    })
    return { ids, bytes, states, done: from + BATCH >= order.length, strangers: this.strangers }
  }

  /** How many slices it names: those have the first slots, in its order. */
  private loadSnapshot(): number {
    const { snapshot } = this.request
    if (snapshot === null) return 0
    const entries = decodeSnapshot(readFileSync(snapshot), currentBoot())
    rmSync(snapshot)
    if (entries === undefined) return 0
    for (const { id, state } of entries) {
      if (this.table.full || this.table.find(id) !== NO_SLOT) continue
      this.put(this.table.add(id), UNSEEN, state, 0)
    }
    return this.table.count
  }

  private list(folder: string): string[] {
    try {
      return readdirSync(path.join(this.request.directory, folder))
    } catch {
      return []
    }
  }

  private look(folder: string, name: string): void {
    const id = parseFileName(name)
    if (id === undefined || !name.startsWith(folder)) {
      this.strangers++
      return
    }
    const found = lstatSync(path.join(this.request.directory, folder, name), { throwIfNoEntry: false })
    if (found?.isFile() !== true) return
    const known = this.table.find(id)
    const size = Math.min(found.size, UNSEEN - 1)
    if (known !== NO_SLOT) this.bytes[known] = size
    else if (!this.table.full) this.put(this.table.add(id), size, 0, found.mtimeMs)
  }

  private put(slot: number, bytes: number, state: number, modifiedMs: number): void {
    if (slot >= this.bytes.length) this.grow()
    this.bytes[slot] = bytes
    this.states[slot] = state
    this.modified[slot] = modifiedMs
  }

  private grow(): void {
    const length = Math.max(this.table.slots, 2 * this.bytes.length)
    const { bytes, states, modified } = this
    this.bytes = new Uint32Array(length)
    this.bytes.set(bytes)
    this.states = new Uint8Array(length)
    this.states.set(states)
    this.modified = new Float64Array(length)
    this.modified.set(modified)
  }

  /** Those of the snapshot in its order, after those it does not name, by age. */
  private inOrder(remembered: number): Uint32Array {
    const others = new Uint32Array(this.table.count - remembered)
    for (let i = 0; i < others.length; i++) others[i] = remembered + i
    others.sort((a, b) => (this.modified[b] ?? 0) - (this.modified[a] ?? 0))
    const order = new Uint32Array(this.table.count)
    order.set(others)
    let count = others.length
    for (let slot = 0; slot < remembered; slot++) if (this.bytes[slot] !== UNSEEN) order[count++] = slot
    return order.subarray(0, count)
  }
}

/** Linux gives each thread a niceness of its own; elsewhere, and where it may not, this changes nothing. */
function stepBack(): void {
  try {
    os.setPriority(Number(path.basename(readlinkSync('/proc/thread-self'))), NICENESS)
  } catch {
    // Then it competes like any other thread.
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort
  stepBack()
  // What disk-rebuild.ts passes.
  const request: ScanRequest = workerData
  const scan = new DirectoryScan(request)
  const order = scan.run()
  let from = 0
  port.on('message', () => {
    const batch = scan.batch(order, from)
    from += BATCH
    port.postMessage(batch, [batch.ids.buffer, batch.bytes.buffer, batch.states.buffer])
    if (batch.done) port.close()
  })
}
