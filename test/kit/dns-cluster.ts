// A scheduler that answers DNS, as a real process with edges that only report, and dig and kdig to ask it.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fetch } from 'undici'
import { z } from 'zod'
import { edgeEntry } from './scheduler.ts'
import { startSchedulerProcess } from './scheduler-process.ts'
import type { SchedulerProcess } from './scheduler-process.ts'
import type { TestScope } from './scope.ts'

export const ZONE = 'cdn.example.com'

/** Two sites with their coverage; gz-3 has no IPv6. */
export const DNS_EDGES = [
  edgeEntry('gz-1', 'guangzhou', { addresses: ['192.0.2.11', '2001:db8:1::11'] }),
  edgeEntry('gz-2', 'guangzhou', { addresses: ['192.0.2.12', '2001:db8:1::12'] }),
  edgeEntry('gz-3', 'guangzhou', { addresses: ['192.0.2.13'] }),
  edgeEntry('fra-1', 'frankfurt', { addresses: ['192.0.2.21', '2001:db8:2::21'] }),
]

/** A property without the wildcard host that those of `schedulerSettingsText` have. */
export const SHOWS = { id: 'shows', hosts: ['shows.example.com'], origins: [{ id: 'studio' }] }

export interface DnsCluster {
  readonly scheduler: SchedulerProcess
  /** Of the first listener. */
  readonly port: number
  /** Each listener, `host:port`. */
  readonly listeners: readonly string[]
  /** Ends the reports of an edge. */
  silence(edge: string): void
  /** What an operator says of an edge; null takes it back. */
  override(edge: string, state: 'down' | 'drain' | null): Promise<void>
}

/** `dns`: keys of `scheduler.dns`. Reports of all edges are in when it resolves, unless none are wanted. */
export async function startDnsCluster(
  t: TestScope,
  dns: Record<string, unknown> = {},
  over: { scheduler?: Record<string, unknown>; reports?: boolean } & Record<string, unknown> = {},
): Promise<DnsCluster> {
  const { scheduler: more, reports = true, ...rest } = over
  const scheduler = await startSchedulerProcess(t, {
    scheduler: {
      steering: { listen: '127.0.0.1:0' },
      control: { listen: '127.0.0.1:0' },
      admin: { listen: '127.0.0.1:0' },
      dns: { listen: '127.0.0.1:0', zone: ZONE, nameservers: ['ns1.example.net'], rateLimit: false, ...dns },
      probes: false,
      ...more,
    },
    edges: DNS_EDGES,
    ...rest,
  })
  const stops = new Map<string, () => void>()
  const edges = rest['edges'] ?? DNS_EDGES
  for (const { id } of reports ? idsSchema.parse(edges) : []) {
    stops.set(id, scheduler.keepReporting(id, { uptimeMs: 1e9 }))
    await scheduler.untilState(id, 'up')
  }
  const listeners = (scheduler.daemon.listeners['dns'] ?? '').split(' ')
  const port = Number(/\d+$/.exec(listeners[0] ?? '')?.[0])
  return {
    scheduler,
    port,
    listeners,
    silence: (edge) => stops.get(edge)?.(),
    override: (edge, state) => override(`${scheduler.admin}/api/v1/edges/${edge}/override`, state),
  }
}

async function override(url: string, state: 'down' | 'drain' | null): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const request =
    state === null ? { method: 'DELETE' } : { method: 'PUT', headers, body: JSON.stringify({ state }) }
  const reply = await fetch(url, request)
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`)
}

export interface Answered {
  readonly status: string
  readonly flags: readonly string[]
  /** `NAME TTL CLASS TYPE DATA` of each record, by section. */
  readonly answer: readonly string[]
  readonly authority: readonly string[]
  readonly additional: readonly string[]
  /** All that the program said. */
  readonly text: string
}

const run = promisify(execFile)
const idsSchema = z.array(z.object({ id: z.string() }))

/** Asks with BIND's dig: `query` as on its command line, such as `shows.cdn.example.com AAAA +tcp`. */
export async function dig(port: number, query: string, server = '127.0.0.1'): Promise<Answered> {
  const args = [`@${server}`, '-p', String(port), '+tries=1', '+time=10', ...query.split(' ')]
  const { stdout } = await run('dig', args)
  return read(stdout, ';; ->>HEADER<<- opcode: \\w+, status: (\\w+)')
}

/** Asks with Knot's kdig, which is strict where dig is lenient. */
export async function kdig(port: number, query: string, server = '127.0.0.1'): Promise<Answered> {
  const args = [`@${server}`, '-p', String(port), '+retry=0', '+timeout=10', ...query.split(' ')]
  const { stdout } = await run('kdig', args)
  return read(stdout, ';; ->>HEADER<<- opcode: \\w+; status: (\\w+)')
}

function read(text: string, status: string): Answered {
  const section = (name: string) => {
    const [, body = ''] = new RegExp(`^;; ${name} SECTION:\\n((?:[^;\\n].*\\n)*)`, 'm').exec(text) ?? []
    return body
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(/\s+/).join(' '))
  }
  return {
    status: new RegExp(status).exec(text)?.[1] ?? '',
    flags: /;; [Ff]lags: ([a-z ]*);/.exec(text)?.[1]?.split(' ') ?? [],
    answer: section('ANSWER'),
    authority: section('AUTHORITY'),
    additional: section('ADDITIONAL'),
    text,
  }
}

/** The data of records of a type. */
export function dataOf(records: readonly string[], type: string): string[] {
  return records.flatMap((record) => {
    const [, , , kind, ...data] = record.split(' ')
    return kind === type ? [data.join(' ')] : []
  })
}
