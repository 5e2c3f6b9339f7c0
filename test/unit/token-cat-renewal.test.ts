// Common Access Tokens that ask to be renewed (`catr`): when, where to, and what their names may be.
import t from 'tap'
import { CLAIM } from '../../src/token/cat-claims.ts'
import { CAT_FIELD, cat, signCat } from '../../src/token/cat.ts'
import type { CatSettings } from '../../src/token/cat.ts'
import type { Cbor, CborKey } from '../../src/token/cbor.ts'
import { claimsOf, judged, renewableOf, tokenQuery } from '../kit/token-query.ts'

const HS256 = { algorithm: 'HS256', secret: 'a secret of the content owner' } as const
const IN_2030 = 1_900_000_000

function scheme(settings: Partial<CatSettings> = {}) {
  return cat({ parameter: 'cat', keys: [HS256], issuers: [], ...settings })
}

function token(claims: readonly (readonly [CborKey, Cbor])[]): string {
  return signCat({ keys: [HS256] }, new Map(claims))
}

t.test('a token that asks for it is renewed near its end, where it came', async (t) => {
  const nowMs = 1_800_000_000_000
  const signed = token([
    [CLAIM.exp, 1_800_000_050],
    [CLAIM.iat, 1],
    [
      CLAIM.catr,
      new Map([
        [0, 0],
        [1, 120],
      ]),
    ],
  ])
  const renewing = scheme({ signingKey: HS256 })
  const asked = { target: '/a', nowMs, fields: { [CAT_FIELD]: signed } }
  const claims = await renewableOf(renewing, asked)
  const renewal = await claims.renew('/a', tokenQuery(asked))
  t.match(renewal, { by: 'header', name: 'CTA-Common-Access-Token', holdsMs: 120_000 })
  const next = { target: '/b', fields: { [CAT_FIELD]: renewal?.token ?? '' } }
  t.equal(await judged(renewing, { ...next, nowMs: nowMs + 119_999 }), null)
  t.equal(await judged(renewing, { ...next, nowMs: nowMs + 120_000 }), 'token_expired')
  const inCookie = { cookie: `cta-common-access-token=${signed}` }
  t.match(await claims.renew('/a', tokenQuery({ ...asked, fields: inCookie })), {
    by: 'cookie',
    name: CAT_FIELD,
  })
  t.equal(
    await claims.renew('/a', tokenQuery({ ...asked, nowMs: nowMs - 10_001 })),
    null,
    'a minute before the end',
  )
  const without = await claimsOf(scheme(), asked)
  t.equal(typeof without !== 'string' && 'renew' in without, false, 'without a key to sign with')
  // Names and parameters go into the head of a reply.
  for (const part of [
    [4, 'Set-Cookie'],
    [3, 'a b'],
    [5, ['Path=/; x']],
    [6, ['a\r\nb: c']],
  ] as const) {
    const hostile = token([
      [CLAIM.exp, IN_2030],
      [CLAIM.catr, new Map<CborKey, Cbor>([[0, 0], [1, 120], part])],
    ])
    t.equal(await judged(renewing, { target: `/a?cat=${hostile}` }), 'token_malformed')
  }
})
