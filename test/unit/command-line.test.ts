// The command line itself: each command is loaded when it is run, and help and what was mistyped know of all.
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { runCommand } from '../kit/process.ts'

const FOLDER = fileURLToPath(new URL('../../src/commands', import.meta.url))
const NAMES = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.parse(entry.name).name)

t.test('the help tells of every command, and a command of itself', async (t) => {
  const help = await runCommand(t, ['--help'])
  t.equal(help.code, 0)
  for (const name of NAMES) t.match(help.stdout, new RegExp(`^  ${name}\\b`, 'm'))
  const { code, stdout } = await runCommand(t, ['key', '--help'])
  t.equal(code, 0)
  t.match(stdout, 'Usage: edgeward key')
})

t.test('what is no command is refused by name, with the nearest that is one', async (t) => {
  const mistyped = await runCommand(t, ['edg'])
  t.equal(mistyped.code, 2)
  t.match(mistyped.stderr, /unknown command 'edg'\n\(Did you mean edge\?\)/)
  for (const name of ['toString', '--nothing']) {
    const { code, stderr } = await runCommand(t, [name])
    t.equal(code, 2, name)
    t.match(stderr, `unknown ${name.startsWith('--') ? 'option' : 'command'} '${name}'`)
  }
})
