// Runs a trace through a policy, and through what no policy can know: the future.
import type { EvictionPolicy, PolicyMaker } from '../edge/cache/eviction/policy.ts'
import { NO_SLOT } from '../edge/cache/eviction/slot-columns.ts'
import type { Trace } from './eviction-traces.ts'

export interface Ratios {
  /** Shares of requests and of bytes that were hits. */
  readonly objects: number
  readonly bytes: number
}

/** Hits are counted after this share of the trace: before, every cache is filling. */
const WARM_UP = 0.2

class Tally {
  private hits = 0
  private hitBytes = 0
  private requests = 0
  private bytes = 0
  private readonly from: number

  constructor(trace: Trace) {
    this.from = warmAt(trace)
  }

  count(at: number, size: number, hit: boolean): void {
    if (at < this.from) return
    this.requests++
    this.bytes += size
    if (!hit) return
    this.hits++
    this.hitBytes += size
  }

  get ratios(): Ratios {
    return { objects: this.hits / this.requests, bytes: this.hitBytes / this.bytes }
  }
}

function warmAt(trace: Trace): number {
  return Math.floor(trace.requests.length * WARM_UP)
}

export function simulate(trace: Trace, cacheBytes: number, make: PolicyMaker): Ratios {
  const objects = trace.sizes.length
  // A slot an object: the slot is the object's number.
  const policy: EvictionPolicy = make(trace.sizes, objects)
  policy.grow(objects)
  const held = new Uint8Array(objects)
  const tally = new Tally(trace)
  let used = 0
  for (let at = 0; at < trace.requests.length; at++) {
    const object = trace.requests[at] ?? 0
    const size = trace.sizes[object] ?? 0
    const hit = held[object] === 1
    tally.count(at, size, hit)
    if (hit) {
      policy.hit(object)
      continue
    }
    while (used + size > cacheBytes) {
      const victim = policy.evict(tagOf)
      if (victim === NO_SLOT) break
      held[victim] = 0
      used -= trace.sizes[victim] ?? 0
    }
    held[object] = 1
    used += size
    policy.insert(object, tagOf(object))
  }
  return tally.ratios
}

/** Any number that depends on the object alone, spread over 32 bits. */
function tagOf(object: number): number {
  return Math.imul(object + 1, 0x9e3779b1) >>> 0
}

/** For each request, when the same object is asked for next; the trace's length when it is not. */
function nextUses(trace: Trace): Uint32Array {
  const never = trace.requests.length
  const next = new Uint32Array(never)
  const seen = new Uint32Array(trace.sizes.length).fill(never)
  for (let at = never - 1; at >= 0; at--) {
    const object = trace.requests[at] ?? 0
    next[at] = seen[object] ?? never
    seen[object] = at
  }
  return next
}

/**
 * Belady's rule carried over to sizes: out goes what is used furthest in the future, and what would itself be
 * that is not taken in. With equal sizes no policy is better; with unequal ones it is only very good.
 */
export function furthest(trace: Trace, cacheBytes: number): Ratios {
  const next = nextUses(trace)
  /** Next use of each object that is held, 0 when it is not. */
  const dueOf = new Uint32Array(trace.sizes.length)
  const heap = new FurthestHeap(trace.sizes.length)
  const tally = new Tally(trace)
  let used = 0
  for (let at = 0; at < trace.requests.length; at++) {
    const object = trace.requests[at] ?? 0
    const size = trace.sizes[object] ?? 0
    const due = next[at] ?? 0
    const hit = dueOf[object] !== 0
    tally.count(at, size, hit)
    if (due === trace.requests.length) {
      if (hit) {
        dueOf[object] = 0
        heap.remove(object)
        used -= size
      }
      continue
    }
    if (!hit) used += size
    dueOf[object] = due
    heap.set(object, due)
    while (used > cacheBytes) {
      const victim = heap.pop()
      dueOf[victim] = 0
      used -= trace.sizes[victim] ?? 0
    }
  }
  return tally.ratios
}

/** Objects by time of next use, the furthest on top; knows where each is, so that it can be changed. */
class FurthestHeap {
  private readonly heap: Uint32Array
  private readonly placeOf: Int32Array
  private readonly due: Uint32Array
  private count = 0

  constructor(objects: number) {
    this.heap = new Uint32Array(objects)
    this.due = new Uint32Array(objects)
    this.placeOf = new Int32Array(objects).fill(-1)
  }

  set(object: number, due: number): void {
    this.due[object] = due
    let place = this.placeOf[object] ?? -1
    if (place === -1) {
      place = this.count++
      this.put(place, object)
    }
    this.settle(place)
  }

  remove(object: number): void {
    const place = this.placeOf[object] ?? -1
    this.placeOf[object] = -1
    const last = this.heap[--this.count] ?? 0
    if (place === this.count) return
    this.put(place, last)
    this.settle(place)
  }

  pop(): number {
    const top = this.heap[0] ?? 0
    this.remove(top)
    return top
  }

  private put(place: number, object: number): void {
    this.heap[place] = object
    this.placeOf[object] = place
  }

  private dueAt(place: number): number {
    return this.due[this.heap[place] ?? 0] ?? 0
  }

  private settle(start: number): void {
    let place = start
    while (place > 0 && this.dueAt(place) > this.dueAt((place - 1) >> 1))
      place = this.exchange(place, (place - 1) >> 1)
    for (;;) {
      const left = 2 * place + 1
      if (left >= this.count) return
      const larger = left + 1 < this.count && this.dueAt(left + 1) > this.dueAt(left) ? left + 1 : left
      if (this.dueAt(larger) <= this.dueAt(place)) return
      place = this.exchange(place, larger)
    }
  }

  private exchange(place: number, other: number): number {
    const object = this.heap[place] ?? 0
    this.put(place, this.heap[other] ?? 0)
    this.put(other, object)
    return other
  }
}

/**
 * What no policy can exceed, with any sizes. To make a hit of a request, its object must have been held since
 * the request before: size x time of room. All the room there is, is cacheBytes x the trace's length. Giving
 * it to the cheapest hits first, in parts and whether or not they fit beside each other at any one time, can
 * only be better than what is possible (the relaxation of Berger, Beckmann and Harchol-Balter, 2018, PFOO-L).
 */
export function bound(trace: Trace, cacheBytes: number): Ratios {
  const next = nextUses(trace)
  const from = warmAt(trace)
  const never = trace.requests.length
  let requests = 0
  let bytes = 0
  const reuses: number[] = []
  for (let at = 0; at < never; at++) {
    if (at >= from) {
      requests++
      bytes += sizeAt(trace, at)
    }
    // Counted are hits after the warm-up; what was held for them from before it is free of charge until then.
    const due = next[at] ?? never
    if (due < never && due >= from) reuses.push(at)
  }
  const lasts = (at: number) => (next[at] ?? 0) - Math.max(at, from)
  const room = cacheBytes * (never - from)
  const byCost = Float64Array.from(reuses, (at) => lasts(at) * sizeAt(trace, at))
  const byTime = Float64Array.from(reuses, lasts)
  return {
    objects:
      fill(
        reuses,
        byCost,
        room,
        (at) => lasts(at) * sizeAt(trace, at),
        () => 1,
      ) / requests,
    bytes:
      fill(
        reuses,
        byTime,
        room,
        (at) => lasts(at) * sizeAt(trace, at),
        (at) => sizeAt(trace, at),
      ) / bytes,
  }
}

function sizeAt(trace: Trace, at: number): number {
  return trace.sizes[trace.requests[at] ?? 0] ?? 0
}

function fill(
  reuses: readonly number[],
  rank: Float64Array,
  room: number,
  costOf: (at: number) => number,
  worthOf: (at: number) => number,
): number {
  const order = Uint32Array.from(reuses, (_, i) => i).toSorted((a, b) => (rank[a] ?? 0) - (rank[b] ?? 0))
  let left = room
  let worth = 0
  for (const i of order) {
    const at = reuses[i] ?? 0
    const cost = costOf(at)
    if (cost > left) return worth + (worthOf(at) * left) / cost
    left -= cost
    worth += worthOf(at)
  }
  return worth
}
