// The fields that every answer has, whoever asks.
import { corsFields, isForAnyPage } from '../../src/http/cors.ts'
import { FieldBlock } from '../../src/http/fields.ts'

/** Every answer depends on who asks and when: none may be stored. */
export const ANSWER_FIELDS = new FieldBlock(['Cache-Control', 'no-store'])

const FOR_ANY_PAGE = new FieldBlock([...ANSWER_FIELDS.pairs, ...corsFields(['*'], undefined)])

/** With those for pages of the allowed origins; null where they depend on the page that asks. */
export function plainRedirectFields(corsOrigins: readonly string[]): FieldBlock | null {
  if (corsOrigins.length === 0) return ANSWER_FIELDS
  return isForAnyPage(corsOrigins) ? FOR_ANY_PAGE : null
}
