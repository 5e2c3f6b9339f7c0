// What no schema sees in `scheduler.dns`: records that cannot be where they are, names that two things would have, name
// servers that nobody finds. The zones are built of settings that have passed here.
import type { ConfigProblem } from './config-error.ts'
import { DNS, delegationOf, dnsContentsOf, isAddress, targetOf } from './dns-contents.ts'
import type { DnsContents, PlacedRecord } from './dns-contents.ts'
import { NAME_CHARS_MAX, isInZone, nameOfProperty, plainName, zoneOf } from './dns-names.ts'
import type { DnsSettings } from './dns-schema.ts'
import { located, placeOf } from './finding.ts'
import type { Finding } from './finding.ts'
import type { KeyPath } from './key-path.ts'
import type { ClusterPropertySettings, SchedulerSettings } from './scheduler-schema.ts'
import type { ConfigDocument } from './yaml-file.ts'

/** Records of one name and type. A reply over TCP has 64 KiB at most, with their signatures; more stop the start. */
const SET_BYTES_MAX = 16 * 1024
/** Owner as a pointer, type, class, TTL and length (RFC 1035 §4.1.3). */
const RECORD_FIXED_BYTES = 12

type PlaceOf = (at: KeyPath) => string

export function dnsProblems(settings: SchedulerSettings, document: ConfigDocument): ConfigProblem[] {
  const { dns } = settings.scheduler
  if (dns === undefined) return []
  const contents = dnsContentsOf(dns, settings)
  const place: PlaceOf = (at) => placeOf(at, document)
  const found = [
    ...contents.records.flatMap((record) => placeProblems(record, contents, place)),
    ...[...contents.byName.values()].flatMap((records) => setProblems(records, place)),
    ...sharedNames(claimsOf(dns, settings.properties, contents), contents, place),
    ...schedulersNameProblems(dns, contents, place),
    ...serverProblems(dns, contents),
    ...zoneProblems(dns),
  ]
  return located(found, document)
}

/** Where a record may not be. */
function placeProblems(record: PlacedRecord, contents: DnsContents, place: PlaceOf): Finding[] {
  const { name, type } = record
  const at = [...record.at, 'name']
  if (name.length > NAME_CHARS_MAX)
    return [{ at, message: `is longer with its zone than a domain name, ${NAME_CHARS_MAX} characters` }]
  if (zoneOf(name, contents.zones) === undefined)
    return [{ at, message: `${OUTSIDE}; without its final dot it is completed by \`zone\`` }]
  if (contents.zones.includes(name)) {
    if (type === 'CNAME')
      return [{ at, message: 'cannot be a zone itself for CNAME: it has SOA and NS records' }]
    if (type === 'NS')
      return [
        { at, message: 'cannot be a zone itself for NS: its name servers are in scheduler.dns.nameservers' },
      ]
  }
  // It would delegate nothing (RFC 4592 §4.2).
  if (type === 'NS' && name.startsWith('*.')) return [{ at, message: 'cannot have a `*` for NS' }]
  const [cut] = delegationOf(name, contents)
  if (cut === undefined || (type === 'NS' && name === cut.name)) return []
  if (isAddress(record) && contents.delegatedTo.has(name)) return []
  const message = `is delegated to others by ${place(cut.at)}: only addresses of their name servers can be here`
  return [{ at, message }]
}

const OUTSIDE = 'is in none of the zones, scheduler.dns.zone and scheduler.dns.zones'

/** What records of one name may not be together. */
function setProblems(records: readonly PlacedRecord[], place: PlaceOf): Finding[] {
  const [first] = records
  if (first !== undefined && records.some(({ type }) => type === 'CNAME')) {
    const message = `is also ${place(first.at)}: a CNAME is the only record of its name`
    return records.slice(1).map(({ at }) => ({ at: [...at, 'name'], message }))
  }
  const sets = [...Map.groupBy(records, ({ type }) => type).values()]
  return sets.flatMap((set) => repeated(set, place).concat(tooLarge(set)))
}

/** Twice the same would spoil the signature of the set (RFC 4034 §6.3). */
function repeated(set: readonly PlacedRecord[], place: PlaceOf): Finding[] {
  const byData = new Map<string, PlacedRecord>()
  return set.flatMap((record): Finding[] => {
    const { at, type, data } = record
    const plain = type === 'TXT' || type === 'CAA' ? data : plainName(data)
    const earlier = byData.get(plain)
    if (earlier === undefined) byData.set(plain, record)
    return earlier === undefined ? [] : [{ at, message: `is also ${place(earlier.at)}` }]
  })
}

function tooLarge(set: readonly PlacedRecord[]): Finding[] {
  let bytes = 0
  const beyond = set.find((record) => {
    bytes += RECORD_FIXED_BYTES + dataBytes(record)
    return bytes > SET_BYTES_MAX
  })
  if (beyond === undefined) return []
  const message = `is beyond ${SET_BYTES_MAX / 1024} KiB of ${beyond.type} records of one name, the most there can be`
  return [{ at: beyond.at, message }]
}

function dataBytes({ type, data }: PlacedRecord): number {
  if (type === 'A') return 4
  if (type === 'AAAA') return 16
  if (type === 'TXT') return data.length + Math.ceil(data.length / 255)
  // Numbers are shorter than their digits and the space behind them can be.
  return data.length + 6
}

interface Claim {
  readonly name: string
  readonly at: KeyPath
  /** Whose name it is; null for any other. */
  readonly property: number | null
}

/** Of two that have one name one alone would be answered: records first, then edges, schedulers and properties. */
function sharedNames(claims: readonly Claim[], contents: DnsContents, place: PlaceOf): Finding[] {
  const owners = new Map<string, Omit<Claim, 'name'>>()
  for (const [name, records] of contents.byName) {
    const record = records.find(({ type }) => ANSWERED_ALONE.has(type))
    if (record !== undefined) owners.set(name, { at: record.at, property: null })
  }
  for (const [name, at] of contents.edgeHosts) if (!owners.has(name)) owners.set(name, { at, property: null })
  return claims.flatMap(({ name, at, property }): Finding[] => {
    const owner = owners.get(name)
    if (owner === undefined) owners.set(name, { at, property })
    if (owner === undefined || (property !== null && owner.property === property)) return []
    const where = at.at(-1) === 'id' ? 'in scheduler.dns.zone is' : 'is'
    return [{ at, message: `${where} also the name of ${place(owner.at)}, which alone would be answered` }]
  })
}

/** Types that leave no address of another to be answered at their name. */
const ANSWERED_ALONE: ReadonlySet<string> = new Set(['A', 'AAAA', 'CNAME', 'NS'])

/** Names that are answered with what lives, as the server takes them: the first has it. */
function claimsOf(
  { zone, schedulers }: DnsSettings,
  properties: readonly ClusterPropertySettings[],
  { zones }: DnsContents,
): Claim[] {
  const ofSchedulers =
    schedulers === undefined ? [] : [{ name: schedulers.name, at: SCHEDULERS, property: null }]
  const ofProperties = properties.flatMap(({ id, hosts }, property) => {
    const named = nameOfProperty(id, zone)
    const own = named === undefined ? [] : [{ name: named, at: ['properties', property, 'id'], property }]
    const others = hosts.map((name, i) => ({ name, at: ['properties', property, 'hosts', i], property }))
    return [...own, ...others]
  })
  return [...ofSchedulers, ...ofProperties].filter(({ name }) => zoneOf(name, zones) !== undefined)
}

const SCHEDULERS: KeyPath = [...DNS, 'schedulers', 'name']

function schedulersNameProblems(
  { schedulers }: DnsSettings,
  contents: DnsContents,
  place: PlaceOf,
): Finding[] {
  if (schedulers === undefined) return []
  const { name } = schedulers
  if (zoneOf(name, contents.zones) === undefined) return [{ at: SCHEDULERS, message: OUTSIDE }]
  const [cut] = delegationOf(name, contents)
  if (cut === undefined || cut.name === name) return []
  return [{ at: SCHEDULERS, message: `is delegated to others by ${place(cut.at)}` }]
}

/** Name servers of these zones and of delegations, whose names are in these zones. */
function serverProblems({ nameservers, schedulers }: DnsSettings, contents: DnsContents): Finding[] {
  const own = nameservers.map((name, i) => ({ name, at: [...DNS, 'nameservers', i], cut: undefined }))
  const delegated = contents.records.flatMap((record) => {
    const name = record.type === 'NS' ? targetOf(record) : undefined
    return name === undefined ? [] : [{ name, at: [...record.at, 'data'], cut: record.name }]
  })
  return [...own, ...delegated].flatMap(({ name, at, cut }): Finding[] => {
    if (zoneOf(name, contents.zones) === undefined || name === schedulers?.name) return []
    if (contents.byName.get(name)?.some(isAddress) === true || contents.edgeHosts.has(name)) return []
    // Another delegation leads to it.
    const [around] = delegationOf(name, contents)
    if (around !== undefined && around.name !== cut) return []
    const message =
      'is in a zone and has no A or AAAA record there: add it to scheduler.dns.records, or nobody finds it'
    return [{ at, message }]
  })
}

function zoneProblems({ zone, zones, dnssec }: DnsSettings): Finding[] {
  if (dnssec === undefined) return []
  return zones.flatMap((inner, i): Finding[] => {
    if (inner === zone || !isInZone(inner, zone)) return []
    const message =
      'is in scheduler.dns.zone, which is signed: resolvers that check signatures would not take it. Leave it out: names in the zone need none of their own'
    return [{ at: [...DNS, 'zones', i], message }]
  })
}
