// A checkout as operators run it: the JavaScript that a published package holds.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

const built = new Map<string, string>()

/** Builds it at the first call; gives the command line's file. */
export function buildOf(checkout: string): string {
  const known = built.get(checkout)
  if (known !== undefined) return known
  const cli = path.join(checkout, 'dist/src/cli.js')
  const run = spawnSync('npm', ['run', '--silent', 'build'], { cwd: checkout, encoding: 'utf8' })
  if (run.status !== 0 || !existsSync(cli)) throw new Error(`${checkout} cannot be built: ${run.stdout}`)
  built.set(checkout, cli)
  return cli
}
