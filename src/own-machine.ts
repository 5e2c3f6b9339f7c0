// Who may change anything over the admin listener: there are no admin tokens yet, so that it is this machine alone, and no
// page in a browser on it.
import type { FastifyReply, FastifyRequest } from 'fastify'

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/

/**
 * Browsers name the page's origin in every PUT and DELETE, also that of a page whose name was made to resolve to
 * loopback; commands do not.
 */
export async function refuseStrangers(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  if (!LOOPBACK.test(request.ip)) {
    return refuse(reply, 403, 'not-loopback', 'changes are taken from this machine only')
  }
  if (request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined) {
    return refuse(reply, 403, 'browser', 'changes are not taken from pages in browsers')
  }
  return undefined
}

export function refuse(reply: FastifyReply, status: number, error: string, message: string): FastifyReply {
  return reply.code(status).send({ error, message })
}
