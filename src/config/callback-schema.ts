// Whom to ask and whom to tell: the hook that authorises a session, and the events of a property.
import { z } from 'zod'
import { secret } from './access-values.ts'
import type { ScalarForm } from './scalar-form.ts'
import { httpUrl } from './values.ts'

const key = secret.optional().describe('Signs each body: HMAC-SHA256 in `Edgeward-Signature`.')

export function callbackSchema(form: ScalarForm) {
  return z.strictObject({
    url: httpUrl.describe('Is sent a POST with what is known of a session that begins.'),
    timeout: form
      .wait('500ms')
      .refine((ms) => ms > 0, 'must be more than nothing')
      .describe('How long an answer may take.'),
    cache: form.duration('60s').describe('How long an answer holds that does not say so itself (max-age).'),
    onFailure: z
      .enum(['allow', 'deny'])
      .describe('What holds when there is no answer: fail open, or fail closed.'),
    key,
  })
}

export function eventsSchema() {
  return z.strictObject({
    url: httpUrl.describe('Is sent POSTs with a JSON list of events.'),
    kinds: z
      .array(z.enum(['session-start', 'session-end', 'denials']))
      .min(1)
      .default(['session-start', 'session-end', 'denials'])
      .describe('Which events.'),
    key,
  })
}

export type CallbackSettings = z.infer<ReturnType<typeof callbackSchema>>
export type EventsSettings = z.infer<ReturnType<typeof eventsSchema>>
