// Remembers for a while which slices were evicted: a table of their tags with the time of each, measured in
// evictions. A tag may be forgotten early, when its bucket is full, and rarely stands for another slice.
const WAYS = 4

export class Ghosts {
  private tags = new Uint32Array(1024)
  private times = new Uint32Array(1024)
  private now = 1

  /** Room for about so many. What was remembered before is forgotten: growing must not take long. */
  grow(count: number): void {
    if (count <= this.tags.length) return
    const length = 2 ** Math.ceil(Math.log2(count))
    this.tags = new Uint32Array(length)
    this.times = new Uint32Array(length)
  }

  add(tag: number): void {
    this.now = (this.now + 1) >>> 0 || 1
    const first = this.bucketOf(tag)
    let place = first
    let oldest = -1
    for (let i = first; i < first + WAYS; i++) {
      const age = this.ageOf(i)
      if (this.tags[i] === tag || age > oldest) {
        place = i
        oldest = age
        if (this.tags[i] === tag) break
      }
    }
    this.tags[place] = tag
    this.times[place] = this.now
  }

  /** Was it among the last `span` evicted? It then no longer is. */
  take(tag: number, span: number): boolean {
    const first = this.bucketOf(tag)
    for (let i = first; i < first + WAYS; i++) {
      if (this.tags[i] !== tag || this.times[i] === 0) continue
      const known = this.ageOf(i) <= span
      this.times[i] = 0
      return known
    }
    return false
  }

  private bucketOf(tag: number): number {
    // A power of two of places, in fours.
    return Math.imul(tag, 0x9e3779b1) & (this.tags.length - 1) & ~(WAYS - 1)
  }

  private ageOf(place: number): number {
    const time = this.times[place] ?? 0
    return time === 0 ? 0xffff_ffff : (this.now - time) >>> 0
  }
}
