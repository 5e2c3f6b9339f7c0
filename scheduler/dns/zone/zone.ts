// The names that this server answers for: built once from the configuration, then looked up. A zone is what its names
// point to; what lies between two names of a zone exists too, without records (RFC 8020).
import type { PropertyView } from '../../topology.ts'
import type { ZoneSigner } from '../dnssec/zone-signer.ts'
import { TYPE } from '../message/codes.ts'
import { labelCount, parentOf } from '../message/names.ts'
import type { WireName } from '../message/names.ts'
import type { DnsRecord } from '../message/records.ts'

export interface Zone {
  readonly name: WireName
  readonly soa: DnsRecord
  /** The same with the lifetime of what is not there (RFC 2308 §3). */
  readonly negativeSoa: DnsRecord
  /** Null: its answers are not signed. */
  readonly signer: ZoneSigner | null
}

/** By type; the records of one have one lifetime. */
export type RecordSets = ReadonlyMap<number, readonly DnsRecord[]>

/** Those of a name server, for the additional section. */
export function addressesIn(sets: RecordSets): DnsRecord[] {
  return [TYPE.A, TYPE.AAAA].flatMap((type) => sets.get(type) ?? [])
}

export interface ZoneName {
  readonly zone: Zone
  readonly name: WireName
  /** Place among all names. */
  readonly index: number
  readonly sets: RecordSets
  /** Answered with edges of this property. */
  readonly property: PropertyView | null
  /** Answered with the schedulers that live. */
  readonly isOfSchedulers: boolean
  /** Below here others answer: addresses of their name servers where those lie there too. */
  readonly glue: readonly DnsRecord[] | null
}

/** wildcard: the name itself is not there, one that covers it is (RFC 4592). */
export type Found =
  | { readonly outcome: 'name' | 'wildcard'; readonly at: ZoneName }
  | { readonly outcome: 'delegated'; readonly at: ZoneName }
  | { readonly outcome: 'no-such-name'; readonly zone: Zone }
  | { readonly outcome: 'not-ours' }

export interface ZoneNames {
  readonly zones: readonly Zone[]
  readonly names: ReadonlyMap<WireName, ZoneName>
  /** Of the longest name. */
  readonly labelsMax: number
}

const NOT_OURS: Found = { outcome: 'not-ours' }
const WILDCARD = '\x01*'

export function findName({ names, labelsMax }: ZoneNames, name: WireName): Found {
  const exact = names.get(name)
  if (exact !== undefined && exact.glue === null) return { outcome: 'name', at: exact }
  if (exact !== undefined) return { outcome: 'delegated', at: exact }
  // Nothing of ours is longer: a name of a hundred labels costs no hundred look-ups.
  for (let above = ancestorOf(name, labelsMax); above !== undefined; above = parentOf(above)) {
    const encloser = names.get(above)
    if (encloser === undefined) continue
    if (encloser.glue !== null) return { outcome: 'delegated', at: encloser }
    const covering = names.get(WILDCARD + above)
    if (covering !== undefined) return { outcome: 'wildcard', at: covering }
    return { outcome: 'no-such-name', zone: encloser.zone }
  }
  return NOT_OURS
}

/** The next one above that has so many labels at most. */
function ancestorOf(name: WireName, labelsMax: number): WireName | undefined {
  let at = 0
  for (let labels = labelCount(name); at === 0 || labels > labelsMax; labels -= 1) {
    if (labels === 0) return undefined
    at += 1 + name.charCodeAt(at)
  }
  return name.slice(at)
}
