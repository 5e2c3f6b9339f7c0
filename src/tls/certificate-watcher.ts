// Looks at the files of certificates again and again, and brings in a new set when they have changed. A set that
// is bad, or half written, changes nothing: the old one stays, and the files are tried again when they change.
import type { CertificateSet } from './certificate-set.ts'
import { CERTIFICATE_POLL_MS } from './limits.ts'

export interface CertificateWatcherOptions {
  /** Of the set that is in use. */
  stamp: string
  /** What the files are like now; never fails. */
  look: () => Promise<string>
  /** Reads and checks them; fails with a CertificateError. */
  load: () => Promise<CertificateSet>
  replace: (set: CertificateSet) => void
  /** The old set stays in use. Told once for each state of the files. */
  failed: (error: unknown) => void
  everyMs?: number
}

export class CertificateWatcher {
  private readonly options: CertificateWatcherOptions
  private readonly timer: NodeJS.Timeout
  private stamp: string
  private running: Promise<void> | null = null
  private closed = false

  constructor(options: CertificateWatcherOptions) {
    this.options = options
    this.stamp = options.stamp
    this.timer = setInterval(() => void this.check(), options.everyMs ?? CERTIFICATE_POLL_MS)
    this.timer.unref()
  }

  /** Loads if the files have changed. */
  check(): Promise<void> {
    this.running ??= this.run(false).finally(() => (this.running = null))
    return this.running
  }

  /** Loads, changed or not: for an operator who asks for it. */
  async reload(): Promise<void> {
    await this.running
    this.running = this.run(true).finally(() => (this.running = null))
    return this.running
  }

  close(): void {
    this.closed = true
    clearInterval(this.timer)
  }

  private async run(always: boolean): Promise<void> {
    const { look, load, replace, failed } = this.options
    const stamp = await look()
    if (!always && stamp === this.stamp) return
    try {
      const set = await load()
      if (this.closed) return
      replace(set)
      this.stamp = set.stamp
    } catch (error) {
      this.stamp = stamp
      failed(error)
    }
  }
}
