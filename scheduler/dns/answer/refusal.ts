// Proper queries that nobody is answered, whatever the name.
import { CLASS, EXTENDED_ERROR, RCODE, TYPE } from '../message/codes.ts'
import { failure } from './answer.ts'
import type { DnsAnswer } from './answer.ts'

const OTHER_CLASS = failure('prohibited', RCODE.REFUSED, EXTENDED_ERROR.NOT_SUPPORTED, 'no class but IN')
const TRANSFER = failure('prohibited', RCODE.REFUSED, EXTENDED_ERROR.PROHIBITED, 'no zone transfers')

export function refusalOf(query: { readonly class: number; readonly type: number }): DnsAnswer | null {
  if (query.class !== CLASS.IN) return OTHER_CLASS
  return query.type === TYPE.AXFR || query.type === TYPE.IXFR ? TRANSFER : null
}
