// Purging in a test: the command as an operator runs it, the same over the admin listener, and what an edge says of an
// object afterwards.
import { z } from 'zod'
import { purgeReplySchema, purgeStatusSchema } from '../../src/wire/purge.ts'
import type { PurgeStatus } from '../../src/wire/purge.ts'
import { cacheStatusOf } from './cache-status.ts'
import { get } from './client.ts'
import type { Reply, RequestOptions } from './client.ts'
import type { Cluster } from './cluster.ts'
import type { TestEdge } from './edge.ts'
import type { CommandResult } from './process.ts'
import type { TestScope } from './scope.ts'
import { until } from './until.ts'

/** Runs `edgeward purge ARGS`: it ends when every edge that lives has applied it. */
export function purge(t: TestScope, cluster: Cluster, ...args: string[]): Promise<CommandResult> {
  return cluster.command(t, ['purge', ...args])
}

export type Asked = Readonly<Record<string, string | boolean>>

/** Resolves when the admin listener has taken it; gives its id. */
export async function postPurge(admin: string, body: Asked): Promise<string> {
  const reply = await post(admin, body)
  if (reply.status !== 200) throw new Error(`${reply.status}: ${reply.text}`)
  return purgeReplySchema.parse(JSON.parse(reply.text)).id
}

export async function post(admin: string, body: unknown): Promise<{ status: number; text: string }> {
  const reply = await fetch(`${admin}/api/v1/purges`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: reply.status, text: await reply.text() }
}

/** Resolves when these edges have acknowledged it. */
export function applied(admin: string, id: string, edges: readonly string[]): Promise<PurgeStatus> {
  return until(`purge ${id} is applied`, async () => {
    const status = purgeStatusSchema.parse(JSON.parse((await get(`${admin}/api/v1/purges/${id}`)).text))
    const missing = status.edges.filter(({ tookMs }) => tookMs === null)
    return edges.every((edge) => missing.every(({ id: one }) => one !== edge)) ? status : undefined
  })
}

/** Asks an edge as clients of the property `shows` do. */
export function ask(edge: TestEdge, path: string, options: RequestOptions = {}): Promise<Reply> {
  return get(edge.url + path, {
    ...options,
    headers: { Host: 'shows.example.com', ...options.headers },
  })
}

/** `hit`, or why it was asked for upstream with what came of it, such as `stale 304`. */
export function outcomeOf(reply: Reply): string {
  const params = cacheStatusOf(reply)
  if (params.get('hit') === true) return 'hit'
  const forwarded = z.string().catch('?').parse(params.get('fwd'))
  return params.get('fwd-status') === 304 ? `${forwarded} 304` : forwarded
}
