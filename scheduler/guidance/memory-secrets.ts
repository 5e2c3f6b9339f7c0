// The secrets of a lone scheduler, in this process; after a restart there are others. Owns a timer.
import type { Clock } from '../../src/clock.ts'
import type { PeerSecret } from '../../src/wire/guidance.ts'
import { SECRETS_LOOK_MS } from './limits.ts'
import { newSecretKey, secretHoursAt, secretOf } from './secret-store.ts'
import type { SecretStore } from './secret-store.ts'

export class MemorySecrets implements SecretStore {
  onChange: (() => void) | null = null
  readonly #clock: Clock
  #secrets = new Map<number, PeerSecret>()
  readonly #timer: NodeJS.Timeout

  constructor(clock: Clock) {
    this.#clock = clock
    this.#look()
    this.#timer = setInterval(() => {
      if (this.#look()) this.onChange?.()
    }, SECRETS_LOOK_MS)
    this.#timer.unref()
  }

  current(): readonly PeerSecret[] {
    this.#look()
    return [...this.#secrets.values()]
  }

  async close(): Promise<void> {
    this.onChange = null
    clearInterval(this.#timer)
  }

  /** Gives whether they are others than before. */
  #look(): boolean {
    const hours = secretHoursAt(this.#clock.now())
    if (hours.every((hour) => this.#secrets.has(hour)) && hours.length === this.#secrets.size) return false
    this.#secrets = new Map(
      hours.map((hour) => [hour, this.#secrets.get(hour) ?? secretOf(hour, newSecretKey())]),
    )
    return true
  }
}
