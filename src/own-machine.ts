// Who may change anything over the admin listener: there are no admin tokens yet, so that it is this machine alone, and of
// the pages in a browser on it only those that came from the same listener.
import type { FastifyReply, FastifyRequest } from 'fastify'

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/

/** How an operator's browser names the listener: here, or at the end of a tunnel, with a port of its own. */
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i

/**
 * Browsers name the page's origin in every POST, PUT and DELETE; commands do not. A page whose name was made to resolve
 * to loopback has the same origin too, but its own name in Host.
 */
export async function refuseStrangers(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  if (!LOOPBACK.test(request.ip)) {
    return refuse(reply, 403, 'not-loopback', 'changes are taken from this machine only')
  }
  const { origin, host = '', 'sec-fetch-site': site } = request.headers
  const isOfPage = origin !== undefined || site !== undefined
  if (isOfPage && !isOwnPage(origin, host, site)) {
    return refuse(
      reply,
      403,
      'browser',
      "changes are taken from the console's own pages only, on a loopback address",
    )
  }
  return undefined
}

function isOwnPage(origin: unknown, host: string, site: unknown): boolean {
  if (!LOOPBACK_HOST.test(host)) return false
  return origin === `http://${host}` && (site === undefined || site === 'same-origin')
}

export function refuse(reply: FastifyReply, status: number, error: string, message: string): FastifyReply {
  return reply.code(status).send({ error, message })
}
