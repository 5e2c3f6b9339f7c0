// Request traces as a video edge sees them, made from a seed: equal on every machine. An object is a slice,
// a segment or a playlist; a trace is the order in which they are asked for.

export interface Trace {
  readonly name: string
  readonly what: string
  /** Object asked for, by request. */
  readonly requests: Uint32Array
  /** Size in bytes, by object. */
  readonly sizes: Uint32Array
}

const SLICE = 2 * 2 ** 20
const HEAD = 500

type Random = () => number

/** mulberry32: 32 bits of state, good enough to draw traces from. */
function seeded(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Draws ranks from 0 with probability proportional to 1/(rank+1)^alpha. */
function zipf(count: number, alpha: number, random: Random): () => number {
  const sums = new Float64Array(count)
  let sum = 0
  for (let i = 0; i < count; i++) sums[i] = sum += (i + 1) ** -alpha
  return () => {
    const wanted = random() * sum
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sums[middle] ?? 0) < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

interface Catalogue {
  readonly firsts: number[]
  readonly lengths: number[]
}

class Objects {
  readonly sizes: number[] = []

  add(bytes: number): number {
    return this.sizes.push(Math.round(bytes) + HEAD) - 1
  }

  /** Titles of 4 to about 700 slices of full length; the last of each is shorter. */
  titles(count: number, random: Random): Catalogue {
    const firsts: number[] = []
    const lengths: number[] = []
    for (let i = 0; i < count; i++) {
      const length = Math.max(4, Math.min(700, Math.round(60 * Math.exp(1.1 * normal(random)))))
      firsts.push(this.sizes.length)
      lengths.push(length)
      for (let slice = 1; slice < length; slice++) this.add(SLICE)
      this.add(SLICE * random())
    }
    return { firsts, lengths }
  }

  trace(name: string, what: string, requests: Uint32Array): Trace {
    return { name, what, requests, sizes: Uint32Array.from(this.sizes) }
  }
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Someone who plays one title from a slice on; next() gives the object or -1 at the end. */
class Viewer {
  private at: number
  private readonly end: number

  constructor(first: number, from: number, to: number) {
    this.at = first + from
    this.end = first + to
  }

  next(): number {
    return this.at < this.end ? this.at++ : -1
  }
}

/** Half of all viewers leave in the first tenth; a quarter see the end; some begin in the middle. */
function watch(catalogue: Catalogue, title: number, random: Random): Viewer {
  const length = catalogue.lengths[title] ?? 1
  const from = random() < 0.15 ? Math.floor(random() * length) : 0
  const share = random() < 0.5 ? random() * 0.1 : random() < 0.5 ? random() : 1
  const to = Math.min(length, from + Math.max(1, Math.ceil(share * length)))
  return new Viewer(catalogue.firsts[title] ?? 0, from, to)
}

/** Viewers at once, each a slice further in turn; one who is done is followed by the next. */
function* play(viewersAtOnce: number, random: Random, arrive: () => Viewer): Generator<number> {
  const viewers = Array.from({ length: viewersAtOnce }, arrive)
  for (;;) {
    const place = Math.floor(random() * viewers.length)
    const object = viewers[place]?.next() ?? -1
    if (object === -1) viewers[place] = arrive()
    else yield object
  }
}

/** What is popular changes: every so many arrivals a title somewhere in the list changes places with another. */
function drifting(count: number, alpha: number, random: Random): () => number {
  const draw = zipf(count, alpha, random)
  const titleOf = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) exchange(titleOf, i, Math.floor(random() * (i + 1)))
  let arrivals = 0
  return () => {
    if (++arrivals % 20 === 0) exchange(titleOf, draw(), Math.floor(random() * count))
    return titleOf[draw()] ?? 0
  }
}

function exchange(list: Uint32Array, a: number, b: number): void {
  const kept = list[a] ?? 0
  list[a] = list[b] ?? 0
  list[b] = kept
}

function take(source: Generator<number>, count: number): Uint32Array {
  const requests = new Uint32Array(count)
  for (let i = 0; i < count; i++) requests[i] = source.next().value
  return requests
}

export function vod(count: number): Trace {
  const random = seeded(1)
  const objects = new Objects()
  const catalogue = objects.titles(3000, random)
  const draw = drifting(3000, 0.9, random)
  const source = play(400, random, () => watch(catalogue, draw(), random))
  return objects.trace(
    'vod',
    'Zipf 0.9 over 3000 titles, read in sequence, half left early',
    take(source, count),
  )
}

/** Every fourth request is a crawler's, which reads titles of any popularity from end to end. */
export function scan(count: number): Trace {
  const random = seeded(2)
  const objects = new Objects()
  const catalogue = objects.titles(3000, random)
  const draw = drifting(3000, 0.9, random)
  const viewers = play(400, random, () => watch(catalogue, draw(), random))
  const crawled = objects.titles(4000, random)
  let title = 0
  const crawler = play(2, random, () => {
    title = (title + 1) % 4000
    return new Viewer(crawled.firsts[title] ?? 0, 0, crawled.lengths[title] ?? 1)
  })
  const both = interleave([viewers, crawler], [0.75, 0.25], random)
  return objects.trace(
    'scan',
    'the same, and one request in four of crawls that come once',
    take(both, count),
  )
}

/** Segments of live channels: asked for by many as they appear, by a few who rewind, then never again. */
export function live(count: number): Trace {
  const random = seeded(3)
  const objects = new Objects()
  return objects.trace(
    'live',
    '100 channels of 4 renditions, most viewers near the edge, some an hour behind',
    take(liveChannels(objects, random, count, false), count),
  )
}

/** Playlists of 2 KB, init segments of 1 KB, live segments, pictures of 20 KB, film slices of 2 MiB. */
export function mixed(count: number): Trace {
  const random = seeded(4)
  const objects = new Objects()
  const catalogue = objects.titles(2000, random)
  const drawTitle = drifting(2000, 0.9, random)
  const films = play(300, random, () => watch(catalogue, drawTitle(), random))
  const channels = liveChannels(objects, random, count * 0.35, true)
  const small = Array.from({ length: 60_000 }, () =>
    objects.add(random() < 0.3 ? 1000 + 2000 * random() : 8000 + 24_000 * random()),
  )
  const drawSmall = drifting(small.length, 0.8, random)
  const smalls = (function* () {
    for (;;) yield small[drawSmall()] ?? 0
  })()
  const both = interleave([films, channels, smalls], [0.4, 0.35, 0.25], random)
  return objects.trace(
    'mixed',
    'films, live segments with playlists, pictures: 1 KB to 2 MiB',
    take(both, count),
  )
}

function* liveChannels(
  objects: Objects,
  random: Random,
  requests: number,
  playlists: boolean,
): Generator<number> {
  const channels = 100
  const renditions = [1, 0.5, 0.25, 0.1]
  const draw = zipf(channels, 1, random)
  const playlistOf = Array.from({ length: playlists ? channels : 0 }, () => objects.add(2000))
  /** Segment numbers so far, by channel: each a row of renditions. */
  const segments: number[][][] = Array.from({ length: channels }, () => [])
  const steps = 800
  for (let step = 0; ; step++) {
    for (const list of segments)
      list.push(renditions.map((rate) => objects.add(1.5e6 * rate * (0.7 + 0.6 * random()))))
    for (let i = 0; i < requests / steps; i++) {
      const channel = draw()
      const playlist = playlistOf[channel]
      if (playlist !== undefined && random() < 0.5) yield playlist
      const list = segments[channel] ?? []
      const behind =
        random() < 0.9
          ? Math.floor(random() * random() * 6)
          : Math.floor(random() * Math.min(list.length, 600))
      const row = list[Math.max(0, list.length - 1 - behind)] ?? []
      yield row[Math.floor(random() ** 2 * renditions.length)] ?? 0
    }
  }
}

function* interleave(sources: Generator<number>[], shares: number[], random: Random): Generator<number> {
  for (;;) {
    let rest = random()
    let index = 0
    while (index < shares.length - 1 && rest >= (shares[index] ?? 0)) rest -= shares[index++] ?? 0
    yield sources[index]?.next().value ?? 0
  }
}

/** What is left of a trace when a memory tier stands before the disk: LRU, entered at the second read. */
export function behindMemory(trace: Trace, memoryBytes: number): Trace {
  const memory = new Map<number, number>()
  const readOnce = new Set<number>()
  let held = 0
  const left: number[] = []
  for (const object of trace.requests) {
    const size = trace.sizes[object] ?? 0
    if (memory.delete(object)) {
      memory.set(object, size)
      continue
    }
    left.push(object)
    if (!readOnce.delete(object)) {
      readOnce.add(object)
      continue
    }
    memory.set(object, size)
    held += size
    for (const [oldest, bytes] of memory) {
      if (held <= memoryBytes) break
      memory.delete(oldest)
      held -= bytes
    }
  }
  return {
    name: `${trace.name} behind memory`,
    what: `what of “${trace.name}” a memory tier of ${Math.round(memoryBytes / 2 ** 30)} GiB leaves to the disk`,
    requests: Uint32Array.from(left),
    sizes: trace.sizes,
  }
}
