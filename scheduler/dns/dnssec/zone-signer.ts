// Signs a zone's answers as they are given. Signatures are kept, since one takes longer than all the rest of an answer:
// those of denials apart, so that a flood of random names pushes out none that players need.
import { LRUCache } from 'lru-cache'
import { DENIAL_SIGNATURES_MAX, DNSKEY_TTL_S, SIGNATURES_MAX } from '../limits.ts'
import { TYPE } from '../message/codes.ts'
import { isInside } from '../message/names.ts'
import type { WireName } from '../message/names.ts'
import type { DnsRecord } from '../message/records.ts'
import { recordSetsOf } from './canonical.ts'
import type { RecordSet } from './canonical.ts'
import { nsecRecord } from './denial.ts'
import type { Denied } from './denial.ts'
import { dsText } from './dnskey.ts'
import type { ZoneKey, ZoneKeys } from './keys.ts'
import { rrsigHead, signatureOf, signedOctets } from './rrsig.ts'

/** By the octets that are signed, as latin1 text. */
type Signatures = LRUCache<string, Buffer>

export class ZoneSigner {
  readonly zone: WireName
  /** The zone's DNSKEY records, at its apex. */
  readonly dnskey: readonly DnsRecord[]
  /** The DS records that the parent must have, one of them at least. */
  readonly ds: readonly string[]
  readonly #keys: ZoneKeys
  readonly #answers: Signatures = new LRUCache({ max: SIGNATURES_MAX })
  readonly #denials: Signatures = new LRUCache({ max: DENIAL_SIGNATURES_MAX })
  #signaturesMade = 0

  constructor(keys: ZoneKeys) {
    this.#keys = keys
    this.zone = keys.zone
    this.dnskey = [...new Set([...keys.keySigning, ...keys.zoneSigning])].map(({ dnskey }) => {
      return { owner: keys.zone, type: TYPE.DNSKEY, ttlSeconds: DNSKEY_TTL_S, data: dnskey }
    })
    this.ds = keys.keySigning.map(({ dnskey }) => dsText(keys.zone, dnskey))
  }

  /** Signatures made so far, without those that were used again. */
  get signaturesMade(): number {
    return this.#signaturesMade
  }

  /**
   * The RRSIG records for these, which may be of several sets. Only what the zone answers for is to be given: no NS of
   * a delegation and no glue (RFC 4035 §2.2). What is outside the zone, as the end of a CNAME, gets none.
   */
  sign(records: readonly DnsRecord[], nowMs: number): DnsRecord[] {
    return this.#sign(records, this.#answers, nowMs)
  }

  /**
   * The NSEC that proves what is not there, and its RRSIGs. `denied` has all types that the name has for any client: a
   * resolver may take the absence of each other as proven too (RFC 8198). At a delegation without a DS it proves that.
   * `ttlSeconds` as for `nsecRecord`.
   */
  denial(name: WireName, denied: Denied, ttlSeconds: number, nowMs: number): DnsRecord[] {
    const nsec = nsecRecord(this.zone, name, denied, ttlSeconds)
    return [nsec, ...this.#sign([nsec], this.#denials, nowMs)]
  }

  #sign(records: readonly DnsRecord[], kept: Signatures, nowMs: number): DnsRecord[] {
    const own = records.filter(({ owner, type }) => type !== TYPE.RRSIG && isInside(owner, this.zone))
    return recordSetsOf(own).flatMap((set) => {
      const keys = set.type === TYPE.DNSKEY ? this.#keys.keySigning : this.#keys.zoneSigning
      return keys.map((key) => this.#rrsig(set, key, kept, nowMs))
    })
  }

  #rrsig(set: RecordSet, key: ZoneKey, kept: Signatures, nowMs: number): DnsRecord {
    const head = rrsigHead(set, key, this.zone, nowMs)
    const octets = signedOctets(head, set)
    const name = octets.toString('latin1')
    let signature = kept.get(name)
    if (signature === undefined) {
      signature = signatureOf(octets, key)
      this.#signaturesMade += 1
      kept.set(name, signature)
    }
    const data = Buffer.concat([head, signature])
    return { owner: set.owner, type: TYPE.RRSIG, ttlSeconds: set.ttlSeconds, data }
  }
}
