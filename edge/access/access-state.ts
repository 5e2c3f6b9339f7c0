// What the access steps found out of a request, for the steps after them.
import type { Admission, Presented } from '../../src/access/token-gate.ts'
import type { IpAddress } from '../../src/net/ip.ts'

export interface AccessState {
  isIdentified: boolean
  /** Valid once `isIdentified`: ask `clientOf`. */
  client: IpAddress | undefined
  /** Of a property with tokens: what was taken off the target. */
  presented: Presented | null
  /** What let the request in; null: nothing was needed. */
  admission: Admission | null
  /** The session, where a grant names one, or where this reply begins one. */
  session: string | null
  /** Why it is refused, in the word of the rule, token or limit that refused it. */
  denial: string | null
  /** Name of the rule that refused it, if it has one. */
  rule: string | null
}

export function noAccess(): AccessState {
  return {
    isIdentified: false,
    client: undefined,
    presented: null,
    admission: null,
    session: null,
    denial: null,
    rule: null,
  }
}
