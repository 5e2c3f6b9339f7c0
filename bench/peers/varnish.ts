// Varnish with malloc storage. Its log stays in shared memory; nobody reads it.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { startProgram } from '../lib/processes.ts'
import { isRoot, versionOf } from './peer.ts'
import type { Peer, PeerSettings } from './peer.ts'

export async function startVarnish(settings: PeerSettings): Promise<Peer | undefined> {
  const version = versionOf('varnishd', '-V')
  if (version === undefined) return undefined
  const { directory, origin, port, cpus, memoryBytes } = settings
  const { hostname, port: originPort } = new URL(origin)
  const file = path.join(directory, 'cache.vcl')
  await writeFile(
    file,
    `vcl 4.1;\nbackend default { .host = "${hostname}"; .port = "${originPort}"; }\n` +
      'sub vcl_recv { if (req.method == "GET") { return (hash); } }\n',
  )
  const url = `http://127.0.0.1:${port}`
  const args = ['-F', '-n', path.join(directory, 'work'), '-a', `127.0.0.1:${port}`, '-f', file]
  if (isRoot()) args.push('-j', 'none')
  args.push('-s', `malloc,${memoryBytes}`)
  args.push('-p', 'thread_pools=1', '-p', 'thread_pool_min=100', '-p', 'timeout_idle=600')
  const program = await startProgram({
    name: 'varnish',
    command: 'varnishd',
    args,
    cpus,
    url,
  })
  return { name: 'varnish', version, url, program, memoryBytes }
}
