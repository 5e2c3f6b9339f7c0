// What is allowed in `scheduler.dns` and hardly meant: nothing that stops a start.
import { buildPropertyIndex } from '../property-index.ts'
import type { ConfigProblem } from './config-error.ts'
import { DNS, delegationOf, dnsContentsOf, hostOf, targetOf } from './dns-contents.ts'
import type { DnsContents, PlacedRecord } from './dns-contents.ts'
import { HOST_LABEL_WORDS, isInZone, nameOfProperty, namesDownTo, plainName, zoneOf } from './dns-names.ts'
import type { DnsSettings } from './dns-schema.ts'
import { located, placeOf } from './finding.ts'
import type { Finding } from './finding.ts'
import type { SchedulerSettings } from './scheduler-schema.ts'
import type { ConfigDocument } from './yaml-file.ts'

export function dnsWarnings(settings: SchedulerSettings, document: ConfigDocument): ConfigProblem[] {
  const { dns } = settings.scheduler
  if (dns === undefined) return []
  const contents = dnsContentsOf(dns, settings)
  const found = [
    ...edgeWarnings(settings, contents),
    ...propertyWarnings(settings, dns),
    ...aliasWarnings(settings, contents),
    ...zoneFileHabits(dns, contents),
    ...[...contents.byName.values()].flatMap((records) => lifetimeWarnings(records, document)),
  ]
  return located(found, document)
}

function edgeWarnings({ edges }: SchedulerSettings, contents: DnsContents): Finding[] {
  if (edges.every(({ addresses }) => addresses.length === 0))
    return [{ at: ['edges'], message: 'have no `addresses`: DNS has nothing to answer for properties' }]
  return edges.flatMap(({ url, addresses }, i): Finding[] => {
    const host = hostOf(url)
    const zone = zoneOf(host, contents.zones)
    if (zone === undefined || addresses.length > 0 || hasRecords(host, zone, contents)) return []
    const message = `has a host in the zone ${zone} that is not found there: the edge has no \`addresses\``
    return [{ at: ['edges', i, 'url'], message }]
  })
}

/** Own ones, those of a wildcard above, of another edge at this host, or whatever others answer that it is delegated to. */
function hasRecords(host: string, zone: string, contents: DnsContents): boolean {
  if (contents.edgeHosts.has(host) || delegationOf(host, contents).length > 0) return true
  const wildcards = [zone, ...namesDownTo(host, zone)].map((above) => `*.${above}`)
  return [host, ...wildcards].some((name) => contents.byName.has(name))
}

function propertyWarnings({ properties }: SchedulerSettings, { zone }: DnsSettings): Finding[] {
  return properties.flatMap(({ id }, i): Finding[] => {
    if (nameOfProperty(id, zone) !== undefined) return []
    const message = `has no name in scheduler.dns.zone: it would have to be ${HOST_LABEL_WORDS}`
    return [{ at: ['properties', i, 'id'], message }]
  })
}

/** An edge goes by the name that the player asked for, not by the one that an alias led to. */
function aliasWarnings({ properties }: SchedulerSettings, { records }: DnsContents): Finding[] {
  const known = buildPropertyIndex(properties, true)
  return records.flatMap((record): Finding[] => {
    const property = record.type === 'CNAME' ? known.findByHost(targetOf(record) ?? '') : undefined
    if (property === undefined || known.findByHost(record.name) === property) return []
    const message = `leads to the property ${property.id}, which edges do not know by this name: put it into the property's hosts, without a record`
    return [{ at: record.at, message }]
  })
}

/** What has another meaning in a zone file. */
function zoneFileHabits({ records, nameservers }: DnsSettings, contents: DnsContents): Finding[] {
  const found: Finding[] = []
  for (const [i, { name }] of records.entries()) {
    if (name.endsWith('.') || !contents.zones.some((zone) => isInZone(plainName(name), zone))) continue
    const message =
      'ends in a zone and is completed by scheduler.dns.zone once more; with a final dot it is whole'
    found.push({ at: [...DNS, 'records', i, 'name'], message })
  }
  const targets = contents.records.map((record) => ({ at: [...record.at, 'data'], name: targetOf(record) }))
  const servers = nameservers.map((name, i) => ({ at: [...DNS, 'nameservers', i], name }))
  for (const { at, name } of [...targets, ...servers]) {
    if (name === undefined || name.includes('.')) continue
    found.push({ at, message: 'is a name of one label: names here are whole, no zone completes them' })
  }
  for (const { at, data } of contents.records) {
    // Of TXT: no other data can begin so.
    if (!/^".*"$/.test(data)) continue
    found.push({
      at: [...at, 'data'],
      message: 'is text with its quotes: leave them out if they are not meant',
    })
  }
  return found
}

/** Records of one name and type have one lifetime (RFC 2181 §5.2). */
function lifetimeWarnings(records: readonly PlacedRecord[], document: ConfigDocument): Finding[] {
  const first = new Map<string, PlacedRecord>()
  return records.flatMap((record): Finding[] => {
    const earlier = first.get(record.type)
    if (earlier === undefined) first.set(record.type, record)
    if (earlier === undefined || earlier.ttlSeconds === record.ttlSeconds) return []
    const message = `differs from that of ${placeOf(earlier.at, document)}, of the same name and type: the least counts for all`
    return [{ at: [...record.at, 'ttl'], message }]
  })
}
