// The guidance that holds now: replaced whole, read by whoever asks upstream or is asked by another edge.
import type { Guidance } from '../../src/wire/guidance.ts'

export class HeldGuidance {
  current: Guidance | null = null
  readonly #onReplace: (guidance: Guidance) => void

  constructor(onReplace: (guidance: Guidance) => void) {
    this.#onReplace = onReplace
  }

  replace(guidance: Guidance): void {
    this.current = guidance
    this.#onReplace(guidance)
  }
}
