// Unbound as a recursive resolver on a free loopback port, in front of name servers under test; ended with the test.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { dig } from './dns-cluster.ts'
import type { Answered } from './dns-cluster.ts'
import { freePort } from './ports.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'

export interface UnboundOptions {
  /** Zone → where it is asked for, `host:port`. Of all else it knows nothing. */
  readonly zones: Readonly<Record<string, string>>
  /** Lines of the section `server`. */
  readonly lines?: readonly string[]
}

export interface Unbound {
  readonly port: number
  /** As `dig` of dns-cluster.ts, from a loopback address of the client's own where one is given. */
  dig(query: string, client?: string): Promise<Answered>
  /** All that it said. */
  log(): string
}

export async function startUnbound(t: TestScope, options: UnboundOptions): Promise<Unbound> {
  const directory = await tempDirectory(t)
  const port = await freePort()
  const file = path.join(directory, 'unbound.conf')
  await writeFile(file, configuration(directory, port, options))
  const child = spawn('unbound', ['-d', '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let said = ''
  const { promise: started, resolve, reject } = Promise.withResolvers<void>()
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (said.includes('start of service')) resolve()
  })
  child.once('error', reject)
  child.once('exit', (code) => reject(new Error(`unbound ended with ${code}:\n${said}`)))
  await started
  return {
    port,
    dig: (query, client) => dig(port, client === undefined ? query : `-b ${client} ${query}`),
    log: () => said,
  }
}

function configuration(directory: string, port: number, { zones, lines = [] }: UnboundOptions): string {
  const stubs = Object.entries(zones).map(([zone, authority]) => {
    const [, host = '', at = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(authority) ?? []
    return `stub-zone:\n  name: ${zone}\n  stub-addr: ${host}@${at}\n`
  })
  return `
server:
  interface: 127.0.0.1@${port}
  access-control: 127.0.0.0/8 allow
  # Whoever runs the test.
  username: ""
  chroot: ""
  directory: "${directory}"
  pidfile: ""
  use-syslog: no
  verbosity: 1
  num-threads: 1
  module-config: "subnetcache validator iterator"
  do-not-query-localhost: no
  # What is an example to the RFCs is none to a test.
  local-zone: "test." nodefault
  ${lines.join('\n  ')}
remote-control:
  control-enable: no
${stubs.join('')}`
}
