// The certificates of a configured listener: loaded for the start, where whatever is wrong with them is a
// configuration error, then watched, where it is a line in the log and the old ones stay.
import type { Clock } from '../clock.ts'
import { ConfigError } from '../config/config-error.ts'
import type { TlsSettings } from '../config/tls-schema.ts'
import { messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { CertificateError } from './certificate-error.ts'
import { loadCertificates, stampOf } from './certificate-set.ts'
import type { CertificateSet } from './certificate-set.ts'
import { CertificateWatcher } from './certificate-watcher.ts'

/** What is done with a new set. */
export interface CertificateUser {
  replaceCertificates(certificates: CertificateSet): void
}

export interface ListenerCertificatesDeps {
  clock: Clock
  log: Logger
  everyMs?: number
}

export class ListenerCertificates {
  /** The set in use. */
  certificates: CertificateSet
  readonly hstsMs: number | undefined
  private readonly settings: TlsSettings
  private readonly deps: ListenerCertificatesDeps
  private watcher: CertificateWatcher | null = null

  constructor(settings: TlsSettings, certificates: CertificateSet, deps: ListenerCertificatesDeps) {
    this.settings = settings
    this.certificates = certificates
    this.hstsMs = settings.hsts
    this.deps = deps
  }

  watch(user: CertificateUser): void {
    const { clock, log } = this.deps
    const files = this.settings.certificates
    this.watcher = new CertificateWatcher({
      stamp: this.certificates.stamp,
      look: () => stampOf(files),
      load: () => loadCertificates(files, { minimum: this.settings.minimum, nowMs: clock.now() }),
      replace: (set) => {
        user.replaceCertificates(set)
        this.certificates = set
        log.info({ until: new Date(set.notAfterMs).toISOString() }, 'certificates replaced')
      },
      failed: (error) => log.error(`certificates not replaced: ${messageOf(error)}`),
      ...(this.deps.everyMs === undefined ? {} : { everyMs: this.deps.everyMs }),
    })
  }

  /** Whether the files have changed or not. */
  async reload(): Promise<void> {
    await this.watcher?.reload()
  }

  close(): void {
    this.watcher?.close()
  }
}

/** `file` is the configuration's, `key` where its TLS settings stand in it. Without settings: undefined. */
export async function loadListenerCertificates(
  settings: TlsSettings | undefined,
  file: string,
  key: string,
  deps: ListenerCertificatesDeps,
): Promise<ListenerCertificates | undefined> {
  if (settings === undefined) return undefined
  const set = await loadConfiguredCertificates(settings, file, key, deps.clock.now())
  return new ListenerCertificates(settings, set, deps)
}

/** Throws ConfigError for all that is wrong with them. */
export async function loadConfiguredCertificates(
  settings: TlsSettings,
  file: string,
  key: string,
  nowMs: number,
): Promise<CertificateSet> {
  try {
    return await loadCertificates(settings.certificates, { minimum: settings.minimum, nowMs })
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    throw new ConfigError(
      file,
      error.problems.map(({ index, part, file: name, message }) => ({
        path: `${key}.certificates[${index}].${part}`,
        line: null,
        message: `${name} ${message}`,
      })),
    )
  }
}
