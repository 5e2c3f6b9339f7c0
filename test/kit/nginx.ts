// A real nginx with the given server blocks on free loopback ports, one process, ended by its pid with the test.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import { freePort } from './ports.ts'
import { findProgram } from './programs.ts'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'
import { until } from './until.ts'

/** Where it is installed by packages, which is not in everybody's PATH. */
const SEARCH_PATH = `${process.env['PATH'] ?? ''}${path.delimiter}/usr/sbin`

/** Full path of an nginx that was built with this module; undefined where there is none. */
export function findNginx(module: string): string | undefined {
  const program = findProgram(['nginx'], SEARCH_PATH)
  if (program === undefined) return undefined
  return spawnSync(program, ['-V'], { encoding: 'utf8' }).stderr.includes(module) ? program : undefined
}

/** One server a body of a server block; gives their ports. `listen`: further parameters of theirs, such as `ssl`. */
export async function startNginx(
  t: TestScope,
  program: string,
  servers: readonly string[],
  { listen = '' }: { listen?: string } = {},
): Promise<number[]> {
  const directory = await tempDirectory(t)
  const ports: number[] = []
  for (const _ of servers) ports.push(await freePort())
  const file = path.join(directory, 'nginx.conf')
  await writeFile(file, configuration(directory, servers, ports, listen))
  const child = spawn(program, ['-p', directory, '-c', file, '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  await until('nginx listens', async () => {
    if (child.exitCode !== null) throw new Error(`nginx ended:\n${said}`)
    return (await Promise.all(ports.map(accepts))).every(Boolean)
  })
  return ports
}

function configuration(
  directory: string,
  servers: readonly string[],
  ports: readonly number[],
  listen: string,
): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
daemon off;
master_process off;
pid ${directory}/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  ${paths.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n  ')}
  ${servers.map((body, i) => `server { listen 127.0.0.1:${ports[i]} ${listen}; listen [::1]:${ports[i]} ${listen}; ${body} }`).join('\n  ')}
}
`
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
