// The guidance that holds now: replaced whole, read by whoever asks upstream or is asked by another edge.
import type { Guidance } from '../../src/wire/guidance.ts'

export class HeldGuidance {
  current: Guidance | null = null

  replace(guidance: Guidance): void {
    this.current = guidance
  }
}
