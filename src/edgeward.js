#!/usr/bin/env node
// The `edgeward` command. Plain JavaScript that any Node 20 can parse: it hands over to src/cli.ts in the
// Node that the package `node` pins, because only that one is new enough to run the rest.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))
// In a checkout the sources run as they are; a published package holds the built cli.js beside this file.
const cli = [path.join(here, 'cli.ts'), path.join(here, 'cli.js')].find((file) => existsSync(file))

const require = createRequire(import.meta.url)
const flags = require('./node-flags.json')

const [major = 0] = process.versions.node.split('.').map(Number)
if (major >= 26) {
  // With the flags, in the same process; one that was started with a channel keeps it, and runs without them.
  const isFlagged = flags.every((flag) => process.execArgv.includes(flag))
  if (!isFlagged && process.send === undefined && process.execve !== undefined)
    process.execve(process.execPath, [
      process.execPath,
      ...flags,
      import.meta.filename,
      ...process.argv.slice(2),
    ])
  await import(cli)
} else {
  const pinned = path.join(path.dirname(require.resolve('node/package.json')), 'bin', 'node')
  // The channel tells a daemon that this process is gone, however it went.
  const child = spawn(pinned, [...flags, cli, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  // The terminal signals the whole group; a supervisor signals only this process.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  process.on('SIGINT', () => {})
  child.on('error', (error) => {
    process.stderr.write(`edgeward: cannot run the pinned Node at ${pinned}: ${error.message}\n`)
    process.exitCode = 1
  })
  if (process.send !== undefined) child.on('message', (message) => process.send?.(message))
  child.on('exit', (code, signal) => {
    if (process.connected) process.disconnect()
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0)
  })
}
