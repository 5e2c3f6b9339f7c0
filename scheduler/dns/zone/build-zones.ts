// Zones from the configuration: the cluster's own and those delegated to it, with the names of properties, edges and
// schedulers in them, and the static records.
import { TYPE } from '../message/codes.ts'
import { isInside, labelCount, parentOf } from '../message/names.ts'
import type { WireName } from '../message/names.ts'
import type { DnsRecord } from '../message/records.ts'
import { nameOfProperty, wholeName } from '../../../src/config/dns-names.ts'
import type { DnsSettings } from '../../../src/config/dns-schema.ts'
import type { ZoneRecordSettings } from '../../../src/config/dns-values.ts'
import { parseIp } from '../../../src/net/ip.ts'
import type { EdgeView, PropertyView, Topology } from '../../topology.ts'
import type { ZoneSigner } from '../dnssec/zone-signer.ts'
import { checkedName, soaData, staticData } from './record-data.ts'
import { addressesIn } from './zone.ts'
import type { Zone, ZoneName, ZoneNames } from './zone.ts'

export interface ZoneParts {
  readonly settings: DnsSettings
  readonly topology: Topology
  /** Clients are sent to `PROPERTY.EDGE`. */
  readonly isHostForm: boolean
  /** Of the first zone. */
  readonly signer: ZoneSigner | null
  /** Of SOA: larger for a later configuration. */
  readonly serial: number
}

type Draft = { -readonly [Key in keyof Omit<ZoneName, 'sets'>]: ZoneName[Key] } & {
  sets: Map<number, DnsRecord[]>
}

/** Takes settings that were checked: a name outside all zones is a bug by now, where it must be inside. */
export function buildZones(parts: ZoneParts): ZoneNames {
  const { settings, topology } = parts
  const zones = [settings.zone, ...settings.zones].map((name, i) => zoneOf(name, i === 0, parts))
  const drafts = new ZoneDrafts(zones)
  for (const zone of zones) {
    drafts.add(zone.soa)
    for (const nameserver of settings.nameservers) {
      drafts.add(staticRecord(zone.name, 'NS', nameserver, settings.ttl.static))
    }
    if (zone.signer !== null) for (const record of zone.signer.dnskey) drafts.add(record)
  }
  for (const record of settings.records) drafts.add(configuredRecord(record, settings))
  for (const edge of topology.edges) drafts.addEdge(edge, parts)
  for (const property of topology.allProperties) {
    for (const name of namesOfProperty(property, settings)) drafts.steer(name, property)
  }
  if (settings.schedulers !== undefined) drafts.nameSchedulers(checkedName(settings.schedulers.name))
  const names = drafts.finish()
  const labelsMax = [...names.keys()].reduce((most, name) => Math.max(most, labelCount(name)), 0)
  return { zones, names, labelsMax }
}

function zoneOf(text: string, isFirst: boolean, { settings, signer, serial }: ZoneParts): Zone {
  const { nameservers, hostmaster = `hostmaster.${text}`, ttl } = settings
  const name = checkedName(text)
  const minimum = ttl.negative / 1000
  const data = soaData({ mname: nameservers[0] ?? '', rname: hostmaster, serial, minimum })
  const soa = { owner: name, type: TYPE.SOA, ttlSeconds: ttl.static / 1000, data }
  const negativeSoa = { ...soa, ttlSeconds: Math.min(soa.ttlSeconds, minimum) }
  return { name, soa, negativeSoa, signer: isFirst ? signer : null }
}

function staticRecord(
  owner: WireName,
  type: ZoneRecordSettings['type'],
  data: string,
  ttlMs: number,
): DnsRecord {
  return { owner, type: TYPE[type], ttlSeconds: ttlMs / 1000, data: staticData(type, data) }
}

function configuredRecord({ name, type, data, ttl }: ZoneRecordSettings, settings: DnsSettings): DnsRecord {
  const owner = checkedName(wholeName(name, settings.zone))
  return staticRecord(owner, type, data, ttl === undefined ? settings.ttl.static : ttl * 1000)
}

/** Its id in the first zone, and its hosts; which of them are ours `steer` sees. */
function namesOfProperty({ id, hosts }: PropertyView, { zone }: DnsSettings): WireName[] {
  const named = nameOfProperty(id, zone) ?? []
  return [named, hosts].flat().flatMap((text) => (text === '*' ? [] : (hostName(text) ?? [])))
}

/** Undefined for an address, and for what is no name in DNS. */
function hostName(text: string): WireName | undefined {
  if (parseIp(text.replace(/^\[|\]$/g, '')) !== undefined) return undefined
  try {
    return checkedName(text)
  } catch {
    return undefined
  }
}

class ZoneDrafts {
  readonly #zones: readonly Zone[]
  readonly #names = new Map<WireName, Draft>()

  constructor(zones: readonly Zone[]) {
    // The longest first: a zone may lie in another.
    this.#zones = zones.toSorted((x, y) => y.name.length - x.name.length)
  }

  add(record: DnsRecord): void {
    const draft = this.#at(record.owner)
    if (draft === undefined) throw new Error('a record lies outside of all zones')
    const set = draft.sets.get(record.type) ?? []
    draft.sets.set(record.type, set)
    // Those of a set have one lifetime (RFC 2181 §5.2).
    const ttlSeconds = Math.min(record.ttlSeconds, set[0]?.ttlSeconds ?? Infinity)
    set.push(record)
    set.forEach((one, i) => (set[i] = { ...one, ttlSeconds }))
  }

  /** An edge is found by the name that redirects lead to. */
  addEdge(edge: EdgeView, { settings, isHostForm }: ZoneParts): void {
    const host = hostName(new URL(edge.url).hostname)
    if (
      host === undefined ||
      this.#zoneOf(host) === undefined ||
      this.#at(host)?.sets.has(TYPE.CNAME) === true
    )
      return
    for (const owner of isHostForm ? [host, `\x01*${host}`] : [host]) {
      if (this.#hasAddresses(owner)) continue
      const ttlSeconds = settings.ttl.static / 1000
      for (const data of edge.addressData[4]) this.add({ owner, type: TYPE.A, ttlSeconds, data })
      for (const data of edge.addressData[6]) this.add({ owner, type: TYPE.AAAA, ttlSeconds, data })
    }
  }

  steer(name: WireName, property: PropertyView): void {
    const draft = this.#zoneOf(name) === undefined ? undefined : this.#at(name)
    // A static record or an earlier property has the name: the configuration's check tells.
    if (draft === undefined || draft.property !== null || draft.sets.has(TYPE.CNAME)) return
    if (!this.#hasAddresses(name)) draft.property = property
  }

  nameSchedulers(name: WireName): void {
    const draft = this.#at(name)
    if (draft !== undefined) draft.isOfSchedulers = true
  }

  finish(): ReadonlyMap<WireName, ZoneName> {
    for (const draft of this.#names.values()) this.#fillAbove(draft)
    for (const draft of this.#names.values()) {
      if (draft.name !== draft.zone.name && draft.sets.has(TYPE.NS)) draft.glue = this.#glueOf(draft)
    }
    // Glue is no name of ours.
    for (const [name, draft] of this.#names) if (this.#isBelowCut(draft)) this.#names.delete(name)
    return this.#names
  }

  #hasAddresses(name: WireName): boolean {
    const sets = this.#names.get(name)?.sets
    return sets?.has(TYPE.A) === true || sets?.has(TYPE.AAAA) === true
  }

  #zoneOf(name: WireName): Zone | undefined {
    return this.#zones.find((zone) => isInside(name, zone.name))
  }

  #at(name: WireName): Draft | undefined {
    const known = this.#names.get(name)
    const zone = this.#zoneOf(name)
    if (known !== undefined || zone === undefined) return known
    const index = this.#names.size
    const sets = new Map<number, DnsRecord[]>()
    const draft = { zone, name, index, sets, property: null, isOfSchedulers: false, glue: null }
    this.#names.set(name, draft)
    return draft
  }

  /** The names between this one and its zone. */
  #fillAbove({ name, zone }: Draft): void {
    for (let above = parentOf(name); above !== undefined && name !== zone.name; above = parentOf(above)) {
      if (this.#names.has(above)) return
      this.#at(above)
    }
  }

  /** Of its name servers alone: what else lies below is not ours to say. */
  #glueOf({ sets }: Draft): DnsRecord[] {
    const servers = (sets.get(TYPE.NS) ?? []).map(({ data }) => Buffer.from(data).toString('latin1'))
    return servers.flatMap((name) => addressesIn(this.#names.get(name)?.sets ?? new Map()))
  }

  #isBelowCut({ name, zone }: Draft): boolean {
    for (let above = parentOf(name); above !== undefined && above !== zone.name; above = parentOf(above)) {
      const draft = this.#names.get(above)
      if (draft !== undefined && draft.zone === zone && draft.glue !== null) return true
    }
    return false
  }
}
