// What `edgeward config` prints, as lines.
import { EDGE_CONFIG_STATES } from '../../wire/config-rollout.ts'
import type { ConfigHistory, ConfigStatus, ConfigVersion } from '../../wire/config-rollout.ts'
import { tableLines } from '../operator/table.ts'

type EdgeRow = ConfigStatus['edges'][number]

export function statusLines(status: ConfigStatus): string[] {
  const { running, sinceMs, refused, file, edges } = status
  const rows = edges.map(({ id, site, state, version, acknowledgedAtMs, reason }) => [
    id,
    site,
    version === null ? '-' : String(version),
    state,
    acknowledgedAtMs === null ? '-' : timeOf(acknowledgedAtMs),
    reason ?? '',
  ])
  return [
    running === null
      ? `no version yet: the versions that schedulers share cannot be read; runs since ${timeOf(sinceMs)}`
      : `version ${running.number} (${running.hash}), ${originOf(running)}; runs here since ${timeOf(sinceMs)}`,
    ...(refused === null ? [] : [`version ${refused.version} cannot be run here: ${refused.reason}`]),
    fileLine(file),
    summaryOf(status),
    '',
    ...tableLines([['EDGE', 'SITE', 'RUNS', 'STATE', 'ACKNOWLEDGED', 'REASON'], ...rows], new Set([2])),
  ]
}

export function historyLines({ versions }: ConfigHistory): string[] {
  const rows = versions
    .toReversed()
    .map((version, i) => [
      String(version.number),
      timeOf(version.atMs),
      version.hash,
      originOf(version),
      i === 0 ? 'current' : '',
    ])
  return tableLines([['VERSION', 'SINCE', 'HASH', 'BY', ''], ...rows], new Set([0]))
}

/** How many edges are how, and who is not as it should be. */
export function summaryOf({ edges }: ConfigStatus): string {
  const counts = EDGE_CONFIG_STATES.flatMap((state) => {
    const count = edges.filter((edge) => edge.state === state).length
    return count === 0 && state !== 'applied' ? [] : `${count} ${STATE_WORDS[state]}`
  })
  const refusals = edges.flatMap(({ id, reason }) => (reason === null ? [] : `${id} refuses it: ${reason}`))
  return [`${edges.length} edges: ${counts.join(', ')}`, ...refusals].join('\n')
}

const STATE_WORDS: Record<EdgeRow['state'], string> = {
  applied: 'run it',
  pending: 'not yet',
  refused: 'refused',
  silent: 'silent',
}

const BY_WORDS: Record<ConfigVersion['by'], string> = {
  api: 'applied',
  signal: 'by SIGHUP',
  start: 'by a start',
}

function originOf({ by, rollbackTo }: ConfigVersion): string {
  return rollbackTo === null ? BY_WORDS[by] : `back to ${rollbackTo}`
}

function fileLine({ path, state, version, problem }: ConfigStatus['file']): string {
  if (state === 'same') return `${path}: what runs`
  if (state === 'version') return `${path}: differs from what runs; it is version ${version ?? ''}`
  if (state === 'changed') return `${path}: differs from what runs; edgeward config apply runs it`
  return `${path}: differs from what runs, and cannot be used: ${problem ?? ''}`
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
