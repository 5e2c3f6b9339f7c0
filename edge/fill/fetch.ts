// What is asked of the fills, and what comes of it.
import type { Readable } from 'node:stream'
import type { EdgewardError } from '../../src/errors.ts'
import type { ByteSpan } from '../../src/hls/playlist.ts'
import type { FieldPairs } from '../../src/http/fields.ts'
import type { PeerTier } from '../../src/wire/guidance.ts'
import type { ObjectMeta } from '../cache/object-meta.ts'
import type { StorableVerdict } from '../cache/storable.ts'
import type { PropertyChain } from '../upstream/property-chain.ts'
import type { Pull } from './pull.ts'
import type { PullRule } from './response-meta.ts'

/** What a request asks for, and by which rules it is fetched. */
export interface KeyedRequest {
  /** Property, path and query. */
  primaryKey: string
  /** The same, or the key of the variant that this request selects, once that is known. */
  key: string
  /** Origin-form, to put behind the origin's base path. */
  path: string
  chain: PropertyChain
  rule: PullRule
  /** This range of an object that is not complete yet: an object of its own (docs/decisions/0006). */
  part?: ByteSpan
}

/** The same with what goes upstream of the request: it outlives the client's connection. */
export interface FetchTarget extends KeyedRequest {
  /** The client's fields, in order. */
  fields: FieldPairs
  /** Value of one of them by lower-case name. */
  header: (name: string) => string | undefined
  /** As what another edge asks for it; null: for a client of this one. */
  askedAs: PeerTier | null
  /** It carries Authorization. */
  authorised: boolean
  /** The origin may wait this long until what is asked for is there; left out: it answers at once. */
  holdMaxMs?: number | undefined
  /** Hears interim answers (1xx) to this very request. */
  onInterim: ((status: number, fields: FieldPairs) => void) | null
}

export interface UpstreamAsk {
  target: FetchTarget
  method: string
  purpose: 'shared' | 'own'
  /** Conditions or a range. */
  extra: FieldPairs
  /** The slice that an answer with a part begins with. */
  index: number
  /** What a 304 would be about. */
  stale: ObjectMeta | undefined
  body: Readable | null
}

export interface ObjectOutcome {
  kind: 'object'
  meta: ObjectMeta
  pull: Pull
  storable: boolean
  verdict: StorableVerdict
  /** Request fields that selected this answer, and their values in the request that got it. */
  selecting: readonly string[]
  leaderText: string
  collapsed: boolean
  /** Of a POST whose answer may stand for its target: the head to keep it with. */
  posted?: ObjectMeta | undefined
}

export type FetchOutcome =
  | ObjectOutcome
  | { kind: 'not-modified'; meta: ObjectMeta; collapsed: boolean }
  | { kind: 'failed'; error: EdgewardError; collapsed: boolean }
  /** Joined a fetch whose answer is for requests with other fields: look up again. */
  | { kind: 'other-variant' }

/** Looks a field up in a flat list; repeated ones joined with ', '. */
export function headerOf(fields: FieldPairs): (name: string) => string | undefined {
  return (name) => {
    let found: string | undefined
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i]?.toLowerCase() !== name) continue
      found = found === undefined ? fields[i + 1] : `${found}, ${fields[i + 1]}`
    }
    return found
  }
}
