// Which session a request belongs to: what its grant says, else what its player says (CMCD `sid`), else its address
// and User-Agent. What a client may choose freely is bound to its address, so that no two clients share a session
// to slip under a limit.
import { hash } from 'node:crypto'
import type { HttpRequest } from '../../src/http/transaction.ts'
import type { ClientRecord } from './client-record.ts'

export interface SessionName {
  /** Unique within the property. */
  readonly key: string
  /** What hooks and events call it. */
  readonly id: string
}

/** What a token or grant has to do with the session of a request. */
export type SessionGrant =
  /** A grant names it. */
  | { readonly kind: 'named'; readonly session: string }
  /** A token admits a playlist, whose reply carries grants on: they will name it. */
  | { readonly kind: 'begins'; readonly path: string }
  | { readonly kind: 'none' }

/** CTA-5004: a UUID is recommended, 64 characters are the most. */
const SID = /(?:^|,)\s*sid="([\x21\x23-\x5b\x5d-\x7e]{1,64})"/
const QUERY_CMCD = /[?&]CMCD=([^&#]*)/
/** Of a field or query, for the sake of the pattern. */
const CMCD_MAX = 2048
/** As grants write a session. */
const GRANTED_LENGTH = 11

export function sessionNameOf(grant: SessionGrant, request: HttpRequest, client: ClientRecord): SessionName {
  if (grant.kind === 'named') return granted(grant.session)
  const sid = playerSession(request)
  // A playlist that is reloaded by its token goes on with the session that it began.
  if (grant.kind === 'begins') {
    const player = sid ?? agentOf(request)
    return granted(
      hash('sha256', `${client.key} ${grant.path} ${player}`, 'base64url').slice(0, GRANTED_LENGTH),
    )
  }
  if (sid !== undefined) return { key: `s ${client.key} ${sid}`, id: sid }
  return nameOfAgent(agentOf(request), client)
}

/** Hashed once and not at each request, for as long as a client is one player. */
function nameOfAgent(agent: string, client: ClientRecord): SessionName {
  if (client.agent?.text === agent) return client.agent.name
  const id = hash('sha256', `${client.key} ${agent}`, 'hex').slice(0, 32)
  const name = { key: `a ${id}`, id }
  client.agent = { text: agent, name }
  return name
}

function granted(session: string): SessionName {
  return { key: `g ${session}`, id: session }
}

function agentOf(request: HttpRequest): string {
  return request.header('user-agent') ?? ''
}

function playerSession(request: HttpRequest): string | undefined {
  const inQuery = QUERY_CMCD.exec(request.target)
  const text = inQuery === null ? request.header('cmcd-session') : decoded(inQuery[1] ?? '')
  return text === undefined || text.length > CMCD_MAX ? undefined : SID.exec(text)?.[1]
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const BESIDE_MEDIA =
  /\.(?:jpe?g|png|webp|gif|svg|ico|avif|html?|css|m?js|json|xml|txt|pdf|woff2?|webmanifest)$/i

/** A playlist or media begins a session; what a page shows beside its player does not. */
export function beginsSession(method: string, path: string): boolean {
  return method === 'GET' && !BESIDE_MEDIA.test(path)
}
