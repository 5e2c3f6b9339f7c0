// The names of `scheduler.dns` and the static records at each, with their places in the file: what its checks look at.
import { namesDownTo, plainName, wholeName, zoneOf } from './dns-names.ts'
import type { DnsSettings } from './dns-schema.ts'
import type { RecordType } from './dns-values.ts'
import type { KeyPath } from './key-path.ts'
import type { SchedulerSettings } from './scheduler-schema.ts'

export const DNS: KeyPath = ['scheduler', 'dns']

export interface PlacedRecord {
  readonly at: KeyPath
  readonly name: string
  readonly type: RecordType
  readonly data: string
  readonly ttlSeconds: number
}

export interface DnsContents {
  readonly zones: readonly string[]
  /** In the order of the file. */
  readonly records: readonly PlacedRecord[]
  /** Those of them that are names in a zone; the others are problems of their own. */
  readonly byName: ReadonlyMap<string, readonly PlacedRecord[]>
  /** The name servers that NS records name. */
  readonly delegatedTo: ReadonlySet<string | undefined>
  /** By name: hosts in a zone of edges that have addresses, and where each is said. */
  readonly edgeHosts: ReadonlyMap<string, KeyPath>
}

export function dnsContentsOf(
  dns: DnsSettings,
  { edges, scheduler }: Pick<SchedulerSettings, 'edges' | 'scheduler'>,
): DnsContents {
  const zones = [dns.zone, ...dns.zones]
  const records = dns.records.map(({ name, type, data, ttl }, i) => ({
    at: [...DNS, 'records', i],
    name: wholeName(name, dns.zone),
    type,
    data,
    ttlSeconds: ttl ?? dns.ttl.static / 1000,
  }))
  const named = records.filter(({ name }) => zoneOf(name, zones) !== undefined)
  const edgeHosts = new Map<string, KeyPath>()
  for (const [i, { url, addresses }] of edges.entries()) {
    const host = hostOf(url)
    if (addresses.length === 0 || zoneOf(host, zones) === undefined) continue
    const hosts = scheduler.steering.redirect === 'host' ? [host, `*.${host}`] : [host]
    for (const one of hosts) if (!edgeHosts.has(one)) edgeHosts.set(one, ['edges', i, 'url'])
  }
  return {
    zones,
    records,
    byName: Map.groupBy(named, ({ name }) => name),
    delegatedTo: new Set(named.filter(({ type }) => type === 'NS').map(targetOf)),
    edgeHosts,
  }
}

export function hostOf(url: string): string {
  return plainName(new URL(url).hostname)
}

export function isAddress({ type }: PlacedRecord): boolean {
  return type === 'A' || type === 'AAAA'
}

/** The name that a record leads to; undefined for one that leads nowhere. */
export function targetOf({ type, data }: PlacedRecord): string | undefined {
  if (type === 'A' || type === 'AAAA' || type === 'CAA' || type === 'TXT') return undefined
  return plainName(data.slice(data.lastIndexOf(' ') + 1))
}

/** NS records that give a name to others, the highest of those at or above it; none where the answer is ours. */
export function delegationOf(name: string, { zones, byName }: DnsContents): readonly PlacedRecord[] {
  const zone = zoneOf(name, zones)
  if (zone === undefined) return []
  for (const above of namesDownTo(name, zone)) {
    const cut = byName.get(above)?.filter(({ type }) => type === 'NS') ?? []
    if (cut.length > 0) return cut
  }
  return []
}
