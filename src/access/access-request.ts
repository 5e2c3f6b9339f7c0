// What access rules look at in a request, and how its parts are read: a subject is one such part, with how its
// entries in a list are compared with it. Subjects serve the simple lists and the conditions of rules alike.
import type { Place } from '../geo/place.ts'
import type { IpAddress } from '../net/ip.ts'
import type { Denial } from './denial.ts'

export interface AccessRequest {
  /** The client's, not a trusted proxy's. Undefined: not known, and no entry matches it. */
  readonly address: IpAddress | undefined
  readonly method: string
  /** Normalised, without query and `/~property` prefix; a path in another spelling would get past its rule. */
  readonly path: string
  /** Milliseconds since the epoch. */
  readonly nowMs: number
  header(lowerName: string): string | undefined
  /** Asked only when a rule needs it; src/geo/whereabouts.ts looks it up once. */
  place(): Place | undefined
  asn(): number | undefined
}

export interface Matcher<V> {
  /** The entry that the value matches, as it is written in the configuration. */
  find(value: V): string | undefined
}

export interface Subject<V, E> {
  /** undefined: the request has none. null: it has one that cannot be read, which matches nothing. */
  read(request: AccessRequest): V | null | undefined
  /** For people; without secrets that a client may have put there. */
  show(value: V): string
  /** What `read` found undefined, or null, in words. */
  readonly absent: string
  readonly unreadable: string
  /** Throws an Error that names `key` when an entry cannot be used. */
  compile(entries: readonly E[], key: string): Matcher<V>
}

/** One judgement in the order of the configuration. */
export interface AccessStep {
  /** null: goes on to the next. */
  judge(request: AccessRequest): Denial | null
  /** The same judgement told; of a step that is not reached (`null`) what would have been asked. */
  explain(request: AccessRequest | null): readonly StepReport[]
}

export type Verdict = 'allow' | 'deny' | 'no match' | 'not asked'

export interface StepReport {
  /** `access.countries`, `access.rules[1]`. */
  readonly list: string
  readonly rule: string | null
  readonly verdict: Verdict
  /** What was compared with what; '' when nothing was. */
  readonly compared: string
  readonly denial: Denial | null
}

/** ` as *.example.com`, where the entry is written otherwise than what was compared. */
export function asEntry(entry: string, shown: string): string {
  return entry === shown ? '' : ` as ${entry}`
}

/** Keeps the answer for the last text: rules that read one field ask again and again, and so does one client. */
export function rememberLast<T>(read: (text: string) => T): (text: string) => T {
  let lastText = ''
  let last = read(lastText)
  return (text) => {
    if (text !== lastText) {
      last = read(text)
      lastText = text
    }
    return last
  }
}
