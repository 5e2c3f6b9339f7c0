// The head of a reply as node:http2 sends it: the same fields as over HTTP/1.1, less those that speak of an
// HTTP/1.1 connection (RFC 9113 §8.2.2).
import type { FieldBlock, FieldPairs } from '../http/fields.ts'
import type { ReplyHead } from '../http/transaction.ts'
import { isBodiless } from '../http1/reply-head.ts'

const OF_THE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
])

/** Stored heads are looked through once. */
const cleaned = new WeakMap<FieldBlock, FieldPairs>()

export function replyFields(head: ReplyHead, server: { date: () => string; always: FieldBlock }): string[] {
  const fields = [':status', String(head.status), 'date', head.date ?? server.date()]
  if (head.length !== null && !isBodiless(head.status)) fields.push('content-length', String(head.length))
  fields.push(...server.always.pairs, ...withoutConnection(head.extra), ...cleanBlock(head.fields))
  if (head.added !== undefined) fields.push(...cleanBlock(head.added))
  return fields
}

function cleanBlock(block: FieldBlock): FieldPairs {
  let pairs = cleaned.get(block)
  if (pairs === undefined) {
    pairs = withoutConnection(block.pairs)
    cleaned.set(block, pairs)
  }
  return pairs
}

export function withoutConnection(pairs: FieldPairs): FieldPairs {
  for (let i = 0; i < pairs.length; i += 2) {
    if (OF_THE_CONNECTION.has(pairs[i]?.toLowerCase() ?? '')) {
      return pairs.filter((_, at) => !OF_THE_CONNECTION.has(pairs[at - (at % 2)]?.toLowerCase() ?? ''))
    }
  }
  return pairs
}
