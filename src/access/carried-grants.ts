// The grants that one reply carries on: the one that its request came with, or a new session's, and others of the same
// session for what lies outside of its scope.
import { randomBytes } from 'node:crypto'
import { SESSION_BYTES, scopeOf } from './grant.ts'
import type { Grant, GrantKeys, GrantScope } from './grant.ts'
import type { Admission } from './token-gate.ts'

export class CarriedGrants {
  readonly grant: Grant
  private readonly keys: GrantKeys
  private readonly address: string
  /** What all in its scope carries: the grant that came, or a new one for the playlist's own directory. */
  private readonly main: { readonly text: string; readonly scope: GrantScope }

  /**
   * `path`: of the playlist, normalised. `session`: of a token that begins one, where something else names it already.
   * `sessionMs`: how long a new session may go on, if its token does not hold
   * longer.
   */
  constructor(
    keys: GrantKeys,
    admission: Admission,
    client: { path: string; address: string; session: string | null },
    nowMs: number,
    sessionMs: number,
  ) {
    this.keys = keys
    this.address = client.address
    this.grant = {
      session: admission.session ?? client.session ?? randomBytes(SESSION_BYTES).toString('base64url'),
      expiresMs:
        admission.grant === null
          ? Math.max(nowMs + sessionMs, admission.expiresMs ?? 0)
          : (admission.expiresMs ?? 0),
      bound: admission.bound,
    }
    const scope = scopeOf(client.path)
    this.main = admission.grant ?? { scope, text: keys.sign(this.grant, scope, client.address) }
  }

  textFor(scope: GrantScope): string {
    if (within(scope, this.main.scope)) return this.main.text
    return this.keys.sign(this.grant, scope, this.address)
  }
}

function within(scope: GrantScope, outer: GrantScope): boolean {
  const path = 'exact' in scope ? scope.exact : scope.directory
  return 'exact' in outer ? 'exact' in scope && path === outer.exact : path.startsWith(outer.directory)
}
