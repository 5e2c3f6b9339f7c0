// Where content comes from, and how it is asked: one origin of edgeward.yaml or a standalone edge.yaml, in the form
// of a file and of the wire. Files of certificates are replaced by what is in them when the configuration is loaded.
import { z } from 'zod'
import { secret } from './access-values.ts'
import { fileName } from './file-values.ts'
import type { ScalarForm } from './scalar-form.ts'
import { httpUrl, identifier } from './values.ts'

/** RFC 9110 §5.6.2. */
const FIELD_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/

/** Decided by whoever frames the message, or by the cache: an origin would be told two things. */
const DECIDED_HERE: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'range',
  'if-range',
  'if-none-match',
  'if-modified-since',
  'accept-encoding',
  'via',
  'cdn-loop',
])

const fieldName = z
  .string()
  .regex(FIELD_NAME, 'must be a field name such as X-Origin-Key')
  .refine((name) => !DECIDED_HERE.has(name.toLowerCase()), 'is decided by the edge itself')

/** RFC 9110 §5.5, without what is obsolete. */
const fieldValue = z
  .string()
  .max(8192)
  .regex(/^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/, 'must be visible ASCII')

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/

/** HTTP statuses that are answers, not interim ones. */
const status = z.number().int().min(200).max(599)

const tls = z.strictObject({
  ca: fileName
    .optional()
    .describe('PEM: whom its certificate must lead to. Left out: the authorities that Node trusts.'),
  certificate: fileName.optional().describe('PEM: the certificate that edges show; with `key`.'),
  key: fileName.optional().describe('PEM, without a password.'),
  serverName: z
    .string()
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/, 'must be a host name')
    .optional()
    .describe(
      'The name asked for (SNI) and checked in its certificate. Left out: that of `host`, or of the URL.',
    ),
})

const sign = z.strictObject({
  scheme: z.literal('sigv4').describe('AWS Signature Version 4, as S3-compatible stores take it.'),
  region: z.string().min(1).max(64).describe('Region that the signature names.'),
  service: z.string().min(1).max(64).default('s3').describe('Service that the signature names.'),
  accessKey: z.string().min(1).max(256).describe('Access key id.'),
  secretKey: secret.describe('Write it as ${NAME} or ${file:PATH}.'),
  sessionToken: secret.optional().describe('Of temporary credentials.'),
})

export function originSchema(form: ScalarForm) {
  return z.strictObject({
    id: identifier.describe('Name of the origin; properties refer to it.'),
    url: httpUrl.describe('Where the content is pulled from; a path in it is put before every request path.'),
    host: z
      .string()
      .max(262)
      .regex(HOST, 'must be a host name, with a port where it needs one')
      .optional()
      .describe('Host that requests name. Left out: that of the URL.'),
    headers: z
      .record(fieldName, fieldValue)
      .default({})
      .describe('Further fields of each request; one that a client sent as well is replaced.'),
    tls: tls.optional().describe('Of an https origin.'),
    sign: sign.optional().describe('Signs each request. Left out: unsigned.'),
    connections: z
      .number()
      .int()
      .min(1)
      .max(4096)
      .default(64)
      .describe('Requests at once from one edge whose pace is the origin’s; further ones wait.'),
    timeouts: z
      .strictObject({
        connect: form.wait('3s').describe('Until it is connected.'),
        head: form.wait('10s').describe('Until the head of the answer is there.'),
        body: form.wait('15s').describe('Between two pieces of the body.'),
      })
      .prefault({ connect: undefined, head: undefined, body: undefined })
      .describe('What takes longer has failed.'),
  })
}

/** How a scheduler asks an origin whether it serves. */
export function originHealthSchema(form: ScalarForm) {
  return z.strictObject({
    path: z
      .string()
      .max(2048)
      .regex(/^\/[\x21-\x7e]*$/, 'must be a path, such as /healthz')
      .default('/')
      .describe('Path that is asked for with GET, behind no other; a query may follow.'),
    every: form.wait('1s').describe('How often, over each address family.'),
    timeout: form.wait('1s').describe('What takes longer has failed.'),
    statuses: z.array(status).min(1).default([200]).describe('Answers of an origin that serves.'),
    fall: z.number().int().min(1).max(100).default(2).describe('Failures in a row until it is down.'),
    rise: z.number().int().min(1).max(100).default(3).describe('Successes in a row until it is up again.'),
    families: z
      .array(z.union([z.literal(4), z.literal(6)]))
      .min(1)
      .optional()
      .describe('Address families that are probed. Left out: those that its name has.'),
  })
}

/** How a property uses its origins. */
export function failoverSchema(form: ScalarForm) {
  return z.strictObject({
    statuses: z
      .array(status)
      .default([500, 502, 503, 504])
      .describe('Answers for which the next upstream is asked, as when there is none.'),
    attempts: z.number().int().min(1).max(8).default(3).describe('Upstreams asked for one request.'),
    hedge: z
      .union([z.literal(false), form.wait()])
      .default(false)
      .describe(
        'Asks the next upstream as well when the first has not answered in so long; the first answer is taken. `false`: never.',
      ),
  })
}

export const ORIGIN_CHOICES = ['order', 'weight', 'hash'] as const

export type OriginChoice = (typeof ORIGIN_CHOICES)[number]

export type OriginSettings = z.infer<ReturnType<typeof originSchema>>
export type OriginHealthSettings = z.infer<ReturnType<typeof originHealthSchema>>
export type FailoverSettings = z.infer<ReturnType<typeof failoverSchema>>
