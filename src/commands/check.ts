// `edgeward check FILE…`: reads configuration files as the daemons do, and says all that is wrong with them.
// Exit code 0 when every file can be used, 2 otherwise.
import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { ConfigError, formatProblem } from '../config/config-error.ts'
import type { ConfigProblem } from '../config/config-error.ts'
import { loadAnyConfig } from '../config/load.ts'
import type { AnyConfig } from '../config/load.ts'
import { loadConfiguredCertificates } from '../tls/listener-certificates.ts'

interface FileResult {
  file: string
  /** What the file holds, or why it cannot be used. */
  outcome: AnyConfig | ConfigError
}

export function checkCommand(): Command {
  return new Command('check')
    .description('Check configuration files (edgeward.yaml, edge.yaml) without starting anything.')
    .argument('<file...>', 'files to check; the kind is told by the content')
    .option('--json', 'print one JSON array with the result of each file')
    .action(async (files: string[], options: { json?: true }) => {
      const results = await Promise.all(files.map((file) => checkFile(file, process.env)))
      const text = options.json === true ? jsonOf(results) : results.map(lineOf).join('')
      process.stdout.write(text)
      if (results.some(({ outcome }) => outcome instanceof ConfigError)) process.exitCode = 2
    })
}

async function checkFile(file: string, env: NodeJS.ProcessEnv): Promise<FileResult> {
  try {
    const config = await loadAnyConfig(file, env)
    await checkCertificates(config)
    return { file, outcome: config }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { file, outcome: error }
  }
}

/** Throws ConfigError, as the start of the daemon would. */
async function checkCertificates(config: AnyConfig): Promise<void> {
  const [tls, key] =
    config.kind === 'edge'
      ? [config.settings.tls, 'tls']
      : [config.settings.scheduler.steering.tls, 'scheduler.steering.tls']
  if (tls !== undefined) await loadConfiguredCertificates(tls, config.file, key, systemClock.now())
}

function lineOf({ file, outcome }: FileResult): string {
  if (outcome instanceof ConfigError) return `${outcome.message}\n`
  const warnings = warningsOf(outcome).map((warning) => `${formatProblem(file, warning)} (warning)\n`)
  return `${warnings.join('')}${file}: ok (${summaryOf(outcome)})\n`
}

function jsonOf(results: readonly FileResult[]): string {
  const plain = results.map(({ file, outcome }) =>
    outcome instanceof ConfigError
      ? { file, ok: false, problems: outcome.problems }
      : {
          file,
          ok: true,
          kind: outcome.kind,
          summary: summaryOf(outcome),
          problems: [],
          warnings: warningsOf(outcome),
        },
  )
  return `${JSON.stringify(plain)}\n`
}

function warningsOf(config: AnyConfig): readonly ConfigProblem[] {
  return config.kind === 'scheduler' ? config.warnings : []
}

function summaryOf(config: AnyConfig): string {
  if (config.kind === 'scheduler') {
    const { sites, edges, properties } = config.settings
    const counts = [
      counted(sites.length, 'site', 'sites'),
      counted(edges.length, 'edge', 'edges'),
      counted(properties.length, 'property', 'properties'),
    ]
    return `scheduler: ${counts.join(', ')}`
  }
  if (config.mode === 'joined') return `edge ${config.settings.id}: joined to a cluster`
  return `edge ${config.settings.id}: standalone, ${counted(config.settings.properties.length, 'property', 'properties')}`
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
