// What is wrong with certificate files: all of it at once, each with the file and a reason in one word.

export type CertificateReason =
  | 'unreadable'
  | 'not-pem'
  | 'encrypted-key'
  | 'key-mismatch'
  | 'expired'
  | 'not-yet-valid'
  | 'no-names'
  | 'unusable'

export interface CertificateProblem {
  /** Position in the list, from 0. */
  readonly index: number
  readonly part: 'certificate' | 'key'
  readonly file: string
  readonly reason: CertificateReason
  /** Completes "it …". */
  readonly message: string
}

export class CertificateError extends Error {
  readonly problems: readonly CertificateProblem[]

  constructor(problems: readonly CertificateProblem[]) {
    super(problems.map(({ file, message }) => `${file} ${message}`).join('; '))
    this.name = 'CertificateError'
    this.problems = problems
  }
}
