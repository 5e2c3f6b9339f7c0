// The token schemes of a property: what each one's keys and options are, and how a grant is carried on.
import { z } from 'zod'
import { parameterName, pathPattern, secret } from './access-values.ts'
import type { ScalarForm } from './scalar-form.ts'

const hash = z.enum(['md5', 'sha256']).default('md5').describe('Hash of the signature.')

const keys = z.array(secret).min(1).max(8).describe('Live keys: any of them verifies, the first one signs.')

/** One key of a scheme whose tokens name their algorithm. */
const namedKey = z.strictObject({
  id: z.string().min(1).max(128).optional().describe('`kid` of the tokens it verifies.'),
  algorithm: z
    .enum(['HS256', 'HS256/64', 'HS384', 'HS512', 'ES256', 'ES384', 'PS256', 'RS256', 'EdDSA'])
    .describe('JOSE name; `HS256/64` for `cat` only.'),
  secret: secret
    .optional()
    .describe(
      'Of an HS algorithm: base64url after `base64url:`, else the text itself. Of any other, to sign with: the private key, PEM or JWK.',
    ),
  public: z
    .string()
    .max(8192)
    .optional()
    .describe('Of any other than HS: the public key, PEM or JWK. Not needed beside a private one.'),
})

const namedKeys = z.array(namedKey).min(1).max(8).describe('Live keys: any of them verifies.')

export function tokensSchema(form: ScalarForm) {
  const common = {
    except: z.array(pathPattern).default([]).describe('Globs over paths that need no token.'),
    carry: z
      .enum(['none', 'rewrite', 'path', 'cookie'])
      .default('rewrite')
      .describe(
        'How what a playlist was granted reaches what it names: `rewrite` puts a grant into its URIs, `path` into the path of the playlist itself, by a redirect, `cookie` sends one, `none` leaves it to the playlist.',
      ),
    session: form
      .duration('12h')
      .describe('How long such a grant holds, or as long as the token if that is longer.'),
    cookie: z
      .strictObject({
        secure: z
          .boolean()
          .default(true)
          .describe('Sent over HTTPS only; `false` for edges that speak plain HTTP.'),
        sameSite: z.enum(['none', 'lax', 'strict']).default('none').describe('SameSite of the cookie.'),
      })
      .prefault({})
      .describe('Cookies of grants (`carry: cookie`) and of renewed tokens.'),
    grantKeys: z
      .array(secret)
      .max(8)
      .default([])
      .describe(
        'Keys of grants. Left out: derived from `keys`, which a scheme with public keys has none of.',
      ),
  }
  const skewed = (preset: string) => ({ skew: form.duration(preset).describe('How far clocks may differ.') })
  const shared = { ...common, ...skewed('5s') }
  // RFC 9246 §2.1.4 leaves no room, nor does CTA-5007.
  const exact = { ...common, ...skewed('0s') }
  const validity = form.duration('30m').describe('How long a URL holds from the time that is written in it.')
  return z.discriminatedUnion('scheme', [
    z.strictObject({
      scheme: z
        .literal('type-a')
        .describe('`?auth_key=time-random-user-hash` (Alibaba Cloud A, Tencent Cloud A).'),
      keys,
      parameter: parameterName.default('auth_key').describe('Query parameter.'),
      validity,
      hash,
      ...shared,
    }),
    z.strictObject({
      scheme: z.literal('type-b').describe('`/yyyymmddhhmm/hash/path` (Alibaba Cloud B, Tencent Cloud B).'),
      keys,
      validity,
      hash,
      zoneOffset: z
        .string()
        .regex(/^[+-](?:0\d|1[0-4]):[0-5]\d$/, 'must be like +08:00')
        .default('+08:00')
        .describe('Of the time in the URL.'),
      ...shared,
    }),
    z.strictObject({
      scheme: z
        .literal('type-c')
        .describe('`/hash/hextime/path`, or in the query (Alibaba Cloud C, Tencent Cloud C).'),
      keys,
      place: z.enum(['path', 'query']).default('path').describe('Where the token stands.'),
      order: z
        .enum(['path-time', 'time-path'])
        .default('path-time')
        .describe('What is hashed behind the key; Tencent Cloud’s is `time-path`.'),
      timeFormat: z.enum(['hex', 'decimal']).default('hex').describe('How the time is written.'),
      hashParameter: parameterName.default('KEY1').describe('With `place: query`.'),
      timeParameter: parameterName.default('KEY2').describe('With `place: query`.'),
      validity,
      hash,
      ...shared,
    }),
    z.strictObject({
      scheme: z.literal('type-d').describe('`?sign=hash&t=time` (Tencent Cloud D).'),
      keys,
      hashParameter: parameterName.default('sign').describe('Query parameter of the hash.'),
      timeParameter: parameterName.default('t').describe('Query parameter of the time.'),
      timeFormat: z.enum(['decimal', 'hex']).default('decimal').describe('How the time is written.'),
      validity,
      hash,
      ...shared,
    }),
    z.strictObject({
      scheme: z.literal('secure-link').describe('nginx `secure_link_md5`: 403 when wrong, 410 when expired.'),
      keys,
      expression: z
        .string()
        .min(1)
        .max(512)
        .default('$secure_link_expires$uri$key')
        .describe('What is hashed: nginx’s expression, with `$key` in the place of the secret.'),
      hashParameter: parameterName.default('md5').describe('Query parameter of the hash.'),
      expiresParameter: parameterName.default('expires').describe('Query parameter of the end.'),
      ...shared,
    }),
    z.strictObject({
      scheme: z
        .literal('hdnts')
        .describe('`hdnts=st=…~exp=…~acl=…~hmac=…` (Akamai’s tokens), in query or cookie.'),
      keys: z
        .array(secret.regex(/^(?:[0-9a-fA-F]{2})+$/, 'must be hex digits'))
        .min(1)
        .max(8)
        .describe('Live keys in hex: any of them verifies, the first one signs.'),
      parameters: z
        .array(parameterName)
        .min(1)
        .max(4)
        .default(['hdnts', 'hdnea'])
        .describe('Names, in query or cookie.'),
      algorithm: z.enum(['sha256', 'sha1', 'md5']).default('sha256').describe('Of the HMAC.'),
      salt: secret.optional().describe('Signed with every token, never sent.'),
      ...shared,
    }),
    z.strictObject({
      scheme: z.literal('uri-signing').describe('RFC 9246: a JWT in the query, the path or a cookie.'),
      keys: namedKeys,
      parameter: parameterName.default('URISigningPackage').describe('Name in query, path or cookie.'),
      issuers: z.array(z.string().min(1)).default([]).describe('`iss` that are taken; none: any.'),
      audience: z.string().optional().describe('`aud` that a token with one must hold.'),
      decryptionKey: secret.optional().describe('For `cdniip`, a JWE with a shared key (dir).'),
      signingKey: namedKey.optional().describe('For renewed tokens (`cdniets`).'),
      ...exact,
    }),
    z.strictObject({
      scheme: z.literal('cat').describe('CTA-5007 Common Access Token, in header, query or cookie.'),
      keys: namedKeys,
      parameter: parameterName.default('cat').describe('Name in query or cookie.'),
      issuers: z.array(z.string().min(1)).default([]).describe('`iss` that are taken; none: any.'),
      audience: z.string().optional().describe('`aud` that a token with one must hold.'),
      signingKey: namedKey.optional().describe('For renewed tokens (`catr`).'),
      ...exact,
    }),
  ])
}

export type TokenSettings = z.infer<ReturnType<typeof tokensSchema>>
