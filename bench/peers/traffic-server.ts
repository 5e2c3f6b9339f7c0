// Apache Traffic Server with a RAM cache in front of its disk cache, one event thread.
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { startProgram } from '../lib/processes.ts'
import { isRoot, versionOf } from './peer.ts'
import type { Peer, PeerSettings } from './peer.ts'

/** Its disk cache is one file that is read whole into an index at start; no larger than the objects need. */
const DISK = '2G'

export async function startTrafficServer(settings: PeerSettings): Promise<Peer | undefined> {
  const version = versionOf('traffic_server', '-V')
  if (version === undefined) return undefined
  const { directory, port, cpus, memoryBytes } = settings
  await writeConfiguration(settings)
  const server = ['traffic_server', `--run-root=${directory}`]
  // It refuses to run as root.
  const asNobody = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups']
  if (isRoot()) execFileSync('chown', ['-R', 'nobody', directory])
  const [command = '', ...args] = isRoot() ? [...asNobody, ...server] : server
  const url = `http://127.0.0.1:${port}`
  const program = await startProgram({ name: 'traffic-server', command, args, cpus, cwd: directory, url })
  return { name: 'traffic-server', version, url, program, memoryBytes }
}

async function writeConfiguration({ directory, origin, port, memoryBytes }: PeerSettings): Promise<void> {
  const folders = ['etc', 'run', 'log', 'cache']
  await Promise.all(folders.map((folder) => mkdir(path.join(directory, folder))))
  const files: Record<string, string> = {
    'runroot.yaml': `prefix: ${directory}
exec_prefix: ${directory}
bindir: /usr/bin
sbindir: /usr/sbin
sysconfdir: ${directory}/etc
datadir: ${directory}/cache
includedir: /usr/include
libdir: /usr/lib
libexecdir: /usr/lib/trafficserver/modules
localstatedir: ${directory}/run
runtimedir: ${directory}/run
logdir: ${directory}/log
cachedir: ${directory}/cache
`,
    'etc/records.config': `CONFIG proxy.config.http.server_ports STRING ${port}:ip-in=127.0.0.1
CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.cache.ram_cache.size INT ${memoryBytes}
CONFIG proxy.config.cache.ram_cache_cutoff INT ${4 * 2 ** 20}
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.http.keep_alive_no_activity_timeout_in INT 600
CONFIG proxy.config.http.cache.required_headers INT 0
`,
    'etc/storage.config': `${directory}/cache ${DISK}\n`,
    'etc/remap.config': `map / ${origin}/\n`,
    'etc/ip_allow.yaml': 'ip_allow:\n  - { apply: in, ip_addrs: 127.0.0.1, action: allow, methods: ALL }\n',
  }
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(path.join(directory, name), text)))
}
