// TLS of a public listener.
import { z } from 'zod'
import { fileName } from './file-values.ts'
import { duration } from './values.ts'

export const tlsSchema = z.strictObject({
  certificates: z
    .array(
      z.strictObject({
        certificate: fileName.describe('PEM: the certificate, then those that lead to its issuer.'),
        key: fileName.describe('PEM, without a password.'),
      }),
    )
    .min(1)
    .max(1000)
    .describe('Chosen by the name that a client asks for; the first one answers for any other name.'),
  minimum: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').describe('Oldest version that is spoken.'),
  hsts: duration
    .optional()
    .describe('Strict-Transport-Security: how long browsers come by HTTPS only. Left out: not sent.'),
})

export type TlsSettings = z.infer<typeof tlsSchema>
