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
import { NO_SLOT } from '../eviction/slot-columns.ts'

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
/** No slice is larger; a file that is, is none, and its size then does not matter. */
const SIZE_MAX = 0xffff_ffff
/** Steps of age that slices are sorted by: with a slot's number they fit into a double. */
const AGES = 2 ** 29

export class DirectoryScan {
  strangers = 0
  private readonly request: ScanRequest
  private readonly table: IdTable
  private bytes = new Uint32Array(0)
  private states = new Uint8Array(0)
  private modified = new Float64Array(0)
  /** Of the slices in the snapshot, which have the first slots: 1 when the file is there. */
  private seen = new Uint8Array(0)

  constructor(request: ScanRequest) {
    this.request = request
    this.table = new IdTable(request.slicesMax)
  }

  /** Slots of the slices found, the last to be evicted first. */
  run(): Uint32Array {
    this.loadSnapshot()
    for (let folder = 0; folder < 256; folder++) {
      const name = folder.toString(16).padStart(2, '0')
      for (const file of this.list(name)) this.look(name, file)
    }
    return this.inOrder()
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

  private loadSnapshot(): void {
    const { snapshot } = this.request
    if (snapshot === null) return
    const entries = decodeSnapshot(readFileSync(snapshot), currentBoot())
    rmSync(snapshot)
    if (entries === undefined) return
    for (const { id, bytes, state } of entries) {
      if (this.table.full || this.table.find(id) !== NO_SLOT) continue
      this.put(this.table.add(id), bytes, state, 0)
    }
    this.seen = new Uint8Array(this.table.count)
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
    const known = this.table.find(id)
    if (known < this.seen.length) this.seen[known] = 1
    if (known !== NO_SLOT || this.table.full) return
    // A million times over, path.join() would cost as much as the question itself.
    const file = `${this.request.directory}/${folder}/${name}`
    const found = lstatSync(file, { throwIfNoEntry: false })
    if (found?.isFile() !== true) return
    this.put(this.table.add(id), Math.min(found.size, SIZE_MAX), 0, found.mtimeMs)
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
  private inOrder(): Uint32Array {
    const order = new Uint32Array(this.table.count)
    let count = 0
    for (const slot of this.newestFirst(this.seen.length)) order[count++] = slot
    for (let slot = 0; slot < this.seen.length; slot++) if (this.seen[slot] === 1) order[count++] = slot
    return order.subarray(0, count)
  }

  /** Slots from `first` on. Sorts numbers of age and slot in one, ten times as fast as by a comparison. */
  private *newestFirst(first: number): Generator<number> {
    const modified = this.modified.subarray(first, this.table.count)
    let newest = 0
    for (const ms of modified) newest = Math.max(newest, ms)
    let span = 1
    for (const ms of modified) span = Math.max(span, newest - ms)
    const slots = 2 ** 23
    const keys = modified.map((ms, i) => Math.floor(((newest - ms) / span) * (AGES - 1)) * slots + i)
    for (const key of keys.toSorted()) yield first + (key % slots)
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
