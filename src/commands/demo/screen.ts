// What the demo prints once it is ready: for a person, or as one line of JSON.
import { styleText } from 'node:util'
import { ELSEWHERE, steeredUrl } from './cluster.ts'
import type { DemoCluster } from './cluster.ts'

export const ASSETS = {
  player: 'player.html',
  vod: 'vod/fmp4/main.m3u8',
  live: 'live/fmp4/main.m3u8',
  mp4: 'vod/clip.mp4',
} as const

/** Process id by name: an edge’s id, `scheduler`, `origin`. */
export type Pids = ReadonlyMap<string, number>

export function jsonLine(cluster: DemoCluster, pids: Pids): string {
  const vod = steeredUrl(cluster, ASSETS.vod)
  return JSON.stringify({
    player: `${steeredUrl(cluster, ASSETS.player)}?src=${encodeURIComponent(vod)}`,
    vod,
    live: steeredUrl(cluster, ASSETS.live),
    mp4: steeredUrl(cluster, ASSETS.mp4),
    origin: cluster.originUrl,
    scheduler: { steering: cluster.steeringUrl, admin: cluster.adminUrl },
    edges: cluster.edges.map(({ id, site, url, admin }) => ({
      id,
      site,
      url,
      admin,
      pid: pids.get(id) ?? 0,
    })),
  })
}

/** Fits 80 columns, but for the player's URL. */
export function screen(cluster: DemoCluster, pids: Pids, readyMs: number): string {
  const vod = steeredUrl(cluster, ASSETS.vod)
  const mp4 = steeredUrl(cluster, ASSETS.mp4)
  const pid = (name: string) => String(pids.get(name) ?? '')
  const [titles, ...rows] = columns([
    ['process', 'site', 'serves at', 'metrics and health at', 'pid'],
    ...cluster.edges.map(({ id, site, url, admin }) => [id, site, url, admin, pid(id)]),
    ['scheduler', '', cluster.steeringUrl, cluster.adminUrl, pid('scheduler')],
    ['origin', '', cluster.originUrl, '', pid('origin')],
  ])
  return [
    heading(`Edgeward demo, ready in ${(readyMs / 1000).toFixed(1)} s`),
    '',
    heading('Open'),
    // A query may hold ':' and '/' as they are (RFC 3986 §3.4), which keeps the address readable.
    `  player  ${steeredUrl(cluster, ASSETS.player)}?src=${vod}`,
    `  VOD     ${vod}`,
    `  live    ${steeredUrl(cluster, ASSETS.live)}`,
    `  MP4     ${mp4}`,
    `  metrics ${cluster.adminUrl}/metrics`,
    `  health  ${cluster.adminUrl}/readyz`,
    '',
    heading('Running'),
    note(titles ?? ''),
    ...rows,
    '',
    heading('Try'),
    note('  # the scheduler sends a client to an edge: 302 and Location'),
    `  curl -sI ${mp4}`,
    note('  # follow it, twice: Cache-Status says a miss, then a hit'),
    `  curl -sL ${mp4} -o /dev/null -D - |`,
    '    grep -i cache-status',
    note(`  # a client in another place goes elsewhere (${ELSEWHERE.site})`),
    `  curl -sI -H 'X-Forwarded-For: ${ELSEWHERE.address}' \\`,
    `    ${mp4} | grep -i location`,
    note('  # what the origin was asked, object by object'),
    `  curl -s ${cluster.originUrl}/.origin/counts`,
    note('  # kill -9 one edge: new viewers go to the others'),
    '',
    'Ctrl-C stops everything.',
    '',
  ].join('\n')
}

// Plain text when stdout is no terminal.
function heading(text: string): string {
  return styleText('bold', text, { stream: process.stdout })
}

function note(text: string): string {
  return styleText('dim', text, { stream: process.stdout })
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  }
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd())
}
