// The heads of an upstream's answers, as far as they decide how what follows is read, here and by the client. Pure.
import type { FieldPairs } from '../../src/http/fields.ts'

/**
 * Transfer codings that change a body (the IANA registry). A name that is none of them says nothing of it: caches leave such
 * a field out and keep the body.
 */
const CODED: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'compress', 'x-compress'])

/** In words, why there is no answer in it; null when there may be. */
export function faultOfHead(status: number, fields: FieldPairs): string | null {
  // RFC 9110 §15: there are no others, and clients take what begins with 1 or less for no answer yet.
  if (status < 100 || status > 599) return `status ${status}`
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i]?.toLowerCase() !== 'transfer-encoding') continue
    const codings = (fields[i + 1] ?? '').toLowerCase().split(',')
    // None was asked for (TE, RFC 9110 §10.1.4): the body would be handed on, and kept, as if it were not coded.
    if (codings.some((coding) => CODED.has(coding.trim()))) return `Transfer-Encoding: ${codings.join(',')}`
  }
  return null
}

/**
 * Of an interim answer (1xx) what is meant for the client: links to load ahead (RFC 8297). Fields of a final answer
 * would have a client end the connection, or wait for a body.
 */
export function interimFields(fields: FieldPairs): FieldPairs {
  const kept: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    const [name = '', value = ''] = fields.slice(i, i + 2)
    if (name.toLowerCase() === 'link') kept.push(name, value)
  }
  return kept
}
