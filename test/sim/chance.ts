// Chance from a seed: the same numbers at every run. Each purpose draws from its own stream, so that what steering
// decides never changes who comes next or what fails when.
import type { Random } from '../../src/clock.ts'

/** sfc32 (C. Doty-Humphrey, PractRand), started from the seed and the purpose. */
export function chanceOf(seed: number, purpose: string): Random {
  let a = seed | 0
  let b = 0x9e3779b9
  let c = 0x243f6a88
  let counter = 1
  const next = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  for (const unit of purpose) {
    a ^= unit.charCodeAt(0)
    next()
  }
  for (let i = 0; i < 12; i += 1) next()
  return next
}

export function between(random: Random, from: number, to: number): number {
  return from + (to - from) * random()
}

export function pick<T>(random: Random, list: readonly T[]): T {
  const one = list[Math.floor(random() * list.length)]
  if (one === undefined) throw new Error('nothing to pick from')
  return one
}

/** So many of the list, none twice. */
export function pickSome<T>(random: Random, list: readonly T[], count: number): T[] {
  const left = [...list]
  return Array.from({ length: Math.min(count, list.length) }, () => {
    const [one] = left.splice(Math.floor(random() * left.length), 1)
    if (one === undefined) throw new Error('nothing to pick from')
    return one
  })
}

export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random())
}

/** Knuth's product for small means, a rounded normal beyond: nobody can tell them apart there. */
export function poisson(random: Random, mean: number): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)))
  const end = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > end; product *= random()) count += 1
  return count
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Sums so far, for `drawFrom`. */
export function cumulative(weights: readonly number[]): Float64Array {
  let sum = 0
  return Float64Array.from(weights, (weight) => (sum += weight))
}

/** An index, as likely as its weight. */
export function drawFrom(random: Random, sums: Float64Array): number {
  const mark = random() * (sums.at(-1) ?? 0)
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sums[middle] ?? 0) > mark) high = middle
    else low = middle + 1
  }
  return low
}
