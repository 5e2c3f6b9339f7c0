// nginx with proxy_cache: bodies in files, sent by sendfile from the page cache.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { startProgram } from '../lib/processes.ts'
import { DISK_BYTES, isRoot, versionOf } from './peer.ts'
import type { Peer, PeerSettings } from './peer.ts'

export async function startNginx(settings: PeerSettings): Promise<Peer | undefined> {
  const version = versionOf('nginx', '-v')
  if (version === undefined) return undefined
  const { directory, port, cpus } = settings
  const file = path.join(directory, 'nginx.conf')
  await writeFile(file, configuration(settings))
  const url = `http://127.0.0.1:${port}`
  const program = await startProgram({
    name: 'nginx',
    command: 'nginx',
    args: ['-p', directory, '-c', file, '-e', path.join(directory, 'error.log')],
    cpus,
    url,
  })
  return { name: 'nginx', version, url, program, memoryBytes: 0 }
}

function configuration({ directory, origin, port }: PeerSettings): string {
  return `
daemon off;
${isRoot() ? 'user root;' : ''}
worker_processes 1;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log warn;
events { worker_connections 4096; use epoll; multi_accept on; }
http {
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  open_file_cache max=4096 inactive=600s;
  open_file_cache_valid 600s;
  proxy_cache_path ${directory}/cache levels=1:2 keys_zone=cache:32m max_size=${DISK_BYTES} inactive=1d use_temp_path=off;
  proxy_temp_path ${directory}/temporary;
  client_body_temp_path ${directory}/body;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  upstream origin { server ${new URL(origin).host}; keepalive 32; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_cache cache;
    proxy_cache_lock on;
    # One segment for head and small file: a fifth more requests a second. Over loopback's 64 KiB segments it
    # makes larger replies wait for the client's delayed acknowledgement, so they go without.
    location /1024/ { tcp_nopush on; proxy_pass http://origin; }
    location / { tcp_nopush off; proxy_pass http://origin; }
  }
}
`
}
