// The programs that tests run besides Node: what each is called, and the package that brings it.
import { accessSync, constants } from 'node:fs'
import path from 'node:path'

export interface Program {
  /** Any one of these in PATH will do; the first found is taken. */
  names: readonly string[]
  /** In Debian and Ubuntu. */
  package: string
  /** For Homebrew, where it has another name; left out: of Linux alone. */
  formula?: string
  /** Of tests that need root on Linux too, and are skipped elsewhere. */
  optional?: true
}

export const PROGRAMS: readonly Program[] = [
  { names: ['redis-server'], package: 'redis-server', formula: 'redis' },
  { names: ['openssl'], package: 'openssl', formula: 'openssl' },
  { names: ['curl'], package: 'curl', formula: 'curl' },
  { names: ['ffmpeg'], package: 'ffmpeg', formula: 'ffmpeg' },
  { names: ['dig'], package: 'bind9-dnsutils', formula: 'bind' },
  { names: ['kdig'], package: 'knot-dnsutils', formula: 'knot' },
  { names: ['dnssec-verify'], package: 'bind9-utils', formula: 'bind' },
  { names: ['unbound'], package: 'unbound', formula: 'unbound' },
  { names: ['dnsperf'], package: 'dnsperf', formula: 'dnsperf' },
  {
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    package: 'chromium',
    formula: '--cask chromium',
  },
  { names: ['nft'], package: 'nftables', optional: true },
  { names: ['ip'], package: 'iproute2', optional: true },
  { names: ['faketime'], package: 'faketime', optional: true },
]

/** Full path of the first of `names` that PATH has. */
export function findProgram(
  names: readonly string[],
  searchPath: string = process.env['PATH'] ?? '',
): string | undefined {
  for (const name of names) {
    for (const directory of searchPath.split(path.delimiter)) {
      const file = path.join(directory, name)
      if (directory !== '' && isExecutable(file)) return file
    }
  }
  return undefined
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
