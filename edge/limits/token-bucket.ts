// Token buckets as plain numbers, without timers: what has come in since is added when a bucket is asked.
// Levels are thousandths of a token and time is whole milliseconds, so that a rate of whole tokens a second
// adds up exactly, however long it runs.

/** What one token counts. */
const TOKEN = 1000

export interface BucketSize {
  /** Thousandths of a token that come in a millisecond: the same number as tokens a second. */
  readonly perMs: number
  /** Thousandths of a token that it holds. */
  readonly full: number
}

export interface Bucket {
  level: number
  atMs: number
}

export function bucketSize(settings: { rate: number; burst: number }): BucketSize {
  return { perMs: settings.rate, full: settings.burst * TOKEN }
}

/** A new one is full, whatever its size turns out to be. */
export function newBucket(): Bucket {
  return { level: Number.MAX_SAFE_INTEGER, atMs: 0 }
}

/** Milliseconds until a token is there; 0 when one is. */
export function waitMs(bucket: Bucket, size: BucketSize, nowMs: number): number {
  const atMs = Math.floor(nowMs)
  const earned = Math.max(0, atMs - bucket.atMs) * size.perMs
  bucket.level = Math.min(size.full, bucket.level + earned)
  bucket.atMs = atMs
  return bucket.level >= TOKEN ? 0 : Math.ceil((TOKEN - bucket.level) / size.perMs)
}

/** After `waitMs` gave 0. */
export function takeToken(bucket: Bucket): void {
  takeTokens(bucket, 1)
}

/** More than are there leave it owing: the next waits until that has come in. */
export function takeTokens(bucket: Bucket, count: number): void {
  bucket.level -= TOKEN * count
}
