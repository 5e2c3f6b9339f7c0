// nginx as a steerer: the geoip2 module looks the client up in the city database, a map of countries names the edge, and
// `return 302` sends the client there. A server for each address family, since the database is a file for each; a
// variable that is not asked for costs nothing, so nginx reads of each record the country alone.
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CITY_FILES } from '../../test/kit/city-database.ts'
import { freePort } from '../../test/kit/ports.ts'
import { startProgram } from '../lib/processes.ts'
import type { RunningProgram } from '../lib/processes.ts'
import { isRoot, versionOf } from '../peers/peer.ts'

const MODULE = '/usr/lib/nginx/modules/ngx_http_geoip2_module.so'

export interface NginxSettings {
  readonly directory: string
  readonly cpus: string
  /** Country → edge. */
  readonly edges: ReadonlyMap<string, string>
}

export interface NginxProgram {
  readonly version: string
  readonly program: RunningProgram
  /** By the family of the clients. */
  readonly urls: { readonly 4: string; readonly 6: string }
}

export async function startNginx(settings: NginxSettings): Promise<NginxProgram> {
  const version = versionOf('nginx', '-v')
  if (version === undefined || !existsSync(MODULE)) {
    throw new Error('needs nginx and its geoip2 module: apt-get install nginx-light libnginx-mod-http-geoip2')
  }
  const { directory, cpus } = settings
  const ports = { 4: await freePort(), 6: await freePort() }
  const file = path.join(directory, 'nginx.conf')
  await writeFile(file, configuration(settings, ports))
  const urls = { 4: `http://127.0.0.1:${ports[4]}`, 6: `http://127.0.0.1:${ports[6]}` }
  const program = await startProgram({
    name: 'nginx',
    command: 'nginx',
    args: ['-p', directory, '-c', file, '-e', path.join(directory, 'error.log')],
    cpus,
    url: urls[4],
  })
  return { version, program, urls }
}

function configuration({ directory, edges }: NginxSettings, ports: Record<4 | 6, number>): string {
  const [fallback = ''] = edges.values()
  const map = [...edges].map(([country, edge]) => `${country} ${edge};`).join(' ')
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const servers = ([4, 6] as const).map(
    (family) => `
  geoip2 ${CITY_FILES[family]} {
    $country${family} country_code;
    $city${family} city;
    $latitude${family} latitude;
    $longitude${family} longitude;
  }
  map $country${family} $edge${family} { default ${fallback}; ${map} }
  server {
    listen 127.0.0.1:${ports[family]} backlog=4096;
    location / { return 302 http://$edge${family}$request_uri; }
  }`,
  )
  return `
load_module ${MODULE};
daemon off;
${isRoot() ? 'user root;' : ''}
worker_processes 1;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log warn;
events { worker_connections 4096; use epoll; multi_accept on; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  ${paths.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n  ')}
  set_real_ip_from 127.0.0.0/8;
  real_ip_header X-Forwarded-For;
  ${servers.join('')}
}
`
}
