// Tokens, CBOR and regular expressions that a client or an issuer made up: nothing throws, and nothing that is not
// signed gets in. Short here; EDGEWARD_FUZZ_SECONDS=60 for long.
import fc from 'fast-check'
import t from 'tap'
import { cat, signCat } from '../../src/token/cat.ts'
import { CLAIM } from '../../src/token/cat-claims.ts'
import { decodeCbor, encodeCbor } from '../../src/token/cbor.ts'
import type { Cbor, CborKey } from '../../src/token/cbor.ts'
import { compileExtendedRegex } from '../../src/token/extended-regex.ts'
import { takePackage } from '../../src/token/uri-package.ts'
import { signUriSigning, uriSigning } from '../../src/token/uri-signing.ts'
import { judged } from '../kit/token-query.ts'

const seconds = Number(process.env['EDGEWARD_FUZZ_SECONDS'] ?? '0.4')
const RUNS = {
  interruptAfterTimeLimit: seconds * 1000,
  numRuns: 1_000_000,
  markInterruptAsFailure: false,
}
const KEY = { algorithm: 'HS256', secret: 'a secret of the content owner' } as const
const CAT_SCHEME = cat({ parameter: 'cat', keys: [KEY], issuers: [], signingKey: KEY })
const URI_SCHEME = uriSigning({ parameter: 'token', keys: [KEY], issuers: [], signingKey: KEY })

const { cbor } = fc.letrec<{ cbor: Cbor; key: CborKey }>((tie) => ({
  key: fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.string()),
  cbor: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }).map((value) => value + 0),
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('cbor'), { maxLength: 4 }),
    fc.array(fc.tuple(tie('key'), tie('cbor')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.record({ tag: fc.maxSafeNat(), value: tie('cbor') }),
  ),
}))

/** Claims of the shapes that are read, with contents that may be anything. */
const claims = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom<CborKey[]>(...Object.values(CLAIM)), fc.integer()), cbor), {
    maxLength: 8,
  })
  .map((entries) => new Map<CborKey, Cbor>(entries))

t.setTimeout((seconds * 10 + 60) * 1000)

t.test('CBOR that is encoded is decoded to the same', async () =>
  fc.assert(
    fc.property(cbor, (value) => {
      const bytes = encodeCbor(value)
      const decoded = decodeCbor(bytes)
      return decoded !== undefined && encodeCbor(decoded).equals(bytes)
    }),
    RUNS,
  ),
)

t.test('bytes that are no CBOR, and CBOR with a byte changed, do not throw', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeCbor(bytes)),
    RUNS,
  )
  fc.assert(
    fc.property(cbor, fc.nat(), fc.nat({ max: 255 }), (value, at, byte) => {
      const bytes = encodeCbor(value)
      bytes[at % bytes.length] = byte
      void decodeCbor(bytes)
    }),
    RUNS,
  )
})

t.test('signed claims of any content are admitted or refused', async () =>
  fc.assert(
    fc.asyncProperty(claims, async (payload) => {
      const refusal = await judged(CAT_SCHEME, { target: `/a?cat=${signCat({ keys: [KEY] }, payload)}` })
      return refusal === null || refusal.startsWith('token_')
    }),
    RUNS,
  ),
)

t.test('a token with one bit changed is not authentic', async () => {
  const good = Buffer.from(signCat({ keys: [KEY] }, new Map([[CLAIM.exp, 1_900_000_000]])), 'base64url')
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: good.length * 8 - 1 }), async (bit) => {
      const bytes = Buffer.from(good)
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      return (await judged(CAT_SCHEME, { target: `/a?cat=${bytes.toString('base64url')}` })) !== null
    }),
    RUNS,
  )
})

t.test('texts for tokens are refused', async () =>
  fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.base64String(),
      async (text, encoded) => {
        const refusals = await Promise.all(
          [
            text,
            encoded,
            `${encoded}.${encoded}.${encoded}`,
            `eyJhbGciOiJIUzI1NiJ9.${encoded}.${encoded}`,
          ].flatMap((token) => [
            judged(CAT_SCHEME, { target: '/a', fields: { 'cta-common-access-token': token } }),
            judged(URI_SCHEME, { target: '/a', fields: { cookie: `token=${token}` } }),
          ]),
        )
        return refusals.every((refusal) => refusal !== null)
      },
    ),
    RUNS,
  ),
)

t.test('signed JSON of any content is admitted or refused', async () => {
  const names = [
    'exp',
    'nbf',
    'iss',
    'aud',
    'cdniuc',
    'cdniip',
    'cdniets',
    'cdnistt',
    'cdnistd',
    'cdniv',
    'cdnicrit',
  ]
  const payload = fc.dictionary(fc.constantFrom(...names), fc.jsonValue())
  await fc.assert(
    fc.asyncProperty(payload, fc.boolean(), async (content, hasContainer) => {
      const claimed = hasContainer ? { ...content, cdniuc: 'regex:.*' } : content
      const refusal = await judged(URI_SCHEME, {
        target: `/a?token=${await signUriSigning({ keys: [KEY] }, claimed)}`,
      })
      return refusal === null ? hasContainer : refusal.startsWith('token_')
    }),
    RUNS,
  )
})

t.test('no target keeps a token', async () => {
  const piece = fc.constantFrom('token=', 'J.W.T', 'x', '/', ';', '?', '&', '=', ',', 'token', '%', ':')
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 24 }), async (pieces) => {
      const { target, token } = takePackage(`/${pieces.join('')}`, 'token')
      return target.startsWith('/') && !/[/;?&]token=/.test(target) && (token !== null || target.length > 0)
    }),
    RUNS,
  )
})

t.test(
  'an expression is compiled or refused, and agrees with another matcher where both take it',
  async () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      'c',
      '.',
      '*',
      '+',
      '?',
      '|',
      '(',
      ')',
      '[ab]',
      '[^a]',
      '{2}',
      '{1,2}',
      '^',
      '$',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), fc.stringMatching(/^[abc]{0,6}$/), (pieces, text) => {
        const pattern = pieces.join('')
        const regex = compileExtendedRegex(pattern)
        if (typeof regex === 'string') return true
        return (
          regex.matches(text, true) === new RegExp(`^(?:${pattern})$`).test(text) &&
          regex.matches(text, false) === new RegExp(pattern).test(text)
        )
      }),
      RUNS,
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (pattern) => void compileExtendedRegex(pattern)),
      RUNS,
    )
  },
)
