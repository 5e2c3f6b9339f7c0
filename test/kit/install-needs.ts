// First step of `npm test`: installs the programs that tests run, where it may (apt-get, as root), and otherwise
// stops with the one line that would install them. Silent when nothing is missing that is needed.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { PROGRAMS, findProgram } from './programs.ts'
import type { Program } from './programs.ts'

/** Debian's switch for package scripts (invoke-rc.d): 101 forbids them to start a service. */
const POLICY = '/usr/sbin/policy-rc.d'

const missing = PROGRAMS.filter(({ names }) => findProgram(names) === undefined)
const needed = missing.filter(({ optional }) => optional === undefined)
const apt = findProgram(['apt-get'])
if (missing.length > 0 && apt !== undefined && process.getuid?.() === 0) installByApt(apt, missing)
else if (needed.length > 0) stop(needed, installLine(needed, apt !== undefined))

function installByApt(command: string, programs: readonly Program[]): void {
  const packages = programs.map((program) => program.package)
  process.stdout.write(`installing for the tests: ${packages.join(' ')}\n`)
  const ownPolicy = !existsSync(POLICY)
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    // A failed update is not the end: the lists that are there may do.
    run(command, ['update', '-qq'])
    const failure = run(command, ['install', '-y', '-qq', '--no-install-recommends', ...packages])
    const absent = programs.filter(
      ({ names, optional }) => optional === undefined && findProgram(names) === undefined,
    )
    if (absent.length > 0) stop(absent, installLine(absent, true), failure)
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true })
  }
}

/** What it said when it failed; '' when it did not. */
function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  return status === 0 ? '' : `${stdout}${stderr}`
}

function installLine(programs: readonly Program[], byApt: boolean): string {
  const packages = programs.map((program) => program.package).join(' ')
  if (byApt) return `sudo apt-get update && sudo apt-get install -y ${packages}`
  if (findProgram(['brew']) !== undefined) {
    return programs.map(({ formula = '' }) => `brew install ${formula}`).join(' && ')
  }
  return `install ${packages} with this system's package manager`
}

function stop(programs: readonly Program[], line: string, detail = ''): void {
  const names = programs.map((program) => program.names[0]).join(', ')
  process.stderr.write(`${detail}the tests need ${names}, not found in PATH: ${line}\n`)
  process.exitCode = 1
}
