// Figures of a run: how unequal loads are, and what stands below which share of many values.

/**
 * Gini coefficient of values with weights: half the mean difference of two that are drawn at random, as a part of the
 * mean. 0: all alike.
 */
export function gini(values: readonly number[], weights: readonly number[]): number {
  let differences = 0
  let sum = 0
  let weight = 0
  values.forEach((x, i) => {
    const of = weights[i] ?? 0
    sum += of * x
    weight += of
    values.forEach((y, j) => (differences += of * (weights[j] ?? 0) * Math.abs(x - y)))
  })
  return sum === 0 ? 0 : differences / (2 * weight * sum)
}

/** Values between 0 and `max` in a thousand drawers; beyond lies in the last. */
export class Histogram {
  readonly #counts = new Float64Array(1001)
  readonly #max: number
  count = 0
  sum = 0
  largest = 0

  constructor(max: number) {
    this.#max = max
  }

  add(value: number): void {
    const drawer = Math.min(1000, Math.max(0, Math.floor((value / this.#max) * 1000)))
    this.#counts[drawer] = (this.#counts[drawer] ?? 0) + 1
    this.count += 1
    this.sum += value
    this.largest = Math.max(this.largest, value)
  }

  /** Lower edge of the drawer in which so large a share ends. */
  at(share: number): number {
    let seen = 0
    for (let i = 0; i <= 1000; i += 1) {
      seen += this.#counts[i] ?? 0
      if (seen >= share * this.count && seen > 0) return (i / 1000) * this.#max
    }
    return 0
  }

  /** The part of them that is above. */
  above(value: number): number {
    const first = Math.floor((value / this.#max) * 1000) + 1
    return this.count === 0
      ? 0
      : this.#counts.subarray(first).reduce((sum, count) => sum + count, 0) / this.count
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.sum / this.count
  }
}
