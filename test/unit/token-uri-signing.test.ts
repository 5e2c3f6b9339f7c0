// URI Signing: the RFC's own examples, where a token stands, which signatures and claims are taken, renewal.
import assert from 'node:assert'
import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import t from 'tap'
import { isRenewable, renewalCookie } from '../../src/token/renewal.ts'
import { hashContainer } from '../../src/token/uri-container.ts'
import { takePackage } from '../../src/token/uri-package.ts'
import { signUriSigning, uriSigning } from '../../src/token/uri-signing.ts'
import type { UriSigningSettings } from '../../src/token/uri-signing.ts'
import { claimsOf, judged, renewableOf, tokenQuery } from '../kit/token-query.ts'

const NAME = 'URISigningPackage'
const SECRET = { id: 'now', algorithm: 'HS256', secret: 'a secret of the content owner' } as const
const ANY = 'regex:.*'

// RFC 9246 appendix A: the key set, and the signed JWTs of A.1 to A.3.
const POINT = {
  kty: 'EC',
  crv: 'P-256',
  x: 'be807S4O7dzB6I4hTiCUvmxCI6FuxWba1xYBlLSSsZ8',
  y: 'rOGC4vI69g-WF9AGEVI37sNNwbjIzBxSjLvIL7f3RBA',
}
const RFC_ID = 'P5UpOv0eMq1wcxLf7WxIg09JdSYGYFDOWkldueaImf0'
const RFC_PUBLIC = { id: RFC_ID, algorithm: 'ES256', public: JSON.stringify(POINT) } as const
const RFC_PRIVATE = {
  id: RFC_ID,
  algorithm: 'ES256',
  secret: JSON.stringify({ ...POINT, d: 'yaowezrCLTU6yIwUL5RQw67cHgvZeMTLVZXjUGb1A1M' }),
} as const
const RFC_DECRYPTION = 'base64url:4uFxxV7fhNmrtiah2d1fFg'
const HEADER = 'eyJhbGciOiJFUzI1NiIsImtpZCI6IlA1VXBPdjBlTXExd2N4TGY3V3hJZzA5SmRTWUdZRkRPV2tsZHVlYUltZjAifQ'
const SIMPLE = `${HEADER}.eyJleHAiOjE2NDY4NjczNjksImlzcyI6InVDRE4gSW5jIiwiY2RuaXVjIjoiaGFzaDpzaGEtMjU2OzJ0ZGVyZldQYTg2S3U3WW56VzUxWVVwN2RHVWpCU18zU1czRUx4NGhtV1kifQ.TaNlJM3D96i_9J9XvlICO6FUIDFTqt3E2YJkEUOLfcH0b89wYRKTbJ9Yj6h_GRgSoZoQO0cps3yUPcWGK3smCw`
const COMPLEX = `${HEADER}.eyJhdWQiOiJkQ0ROIExMQyIsInN1YiI6ImV5SmxibU1pT2lKQk1USTRSME5OSWl3aVlXeG5Jam9pWkdseUlpd2lhMmxrSWpvaVppMVhZbXA0UWtNelpGQjFTVE5rTWpSclVESm9ablp2Y3pkUmVqWTRPRlZVYVRaaFFqQm9Uams1T0NKOS4uQ0xBdTgweGNsYzhCcC1VaS42UDFBM0Y2aXAyRHYuQ29oZHRMTHBnQm5UdlJKUUNGdXotZyIsImNkbmlpcCI6ImV5SmxibU1pT2lKQk1USTRSME5OSWl3aVlXeG5Jam9pWkdseUlpd2lhMmxrSWpvaVppMVhZbXA0UWtNelpGQjFTVE5rTWpSclVESm9ablp2Y3pkUmVqWTRPRlZVYVRaaFFqQm9Uams1T0NKOS4uYVVEREZFUUJJYzNuV2pPYi5iR1hXVEhQa250bVBDS24wcFBQTkVRLml5VHR0bkZ5Yk8yWUJMcXdsX1lTakEiLCJjZG5pdiI6MSwiZXhwIjoxNjQ2ODY3MzY5LCJpYXQiOjE2NDY2OTQ1NjksImlzcyI6InVDRE4gSW5jIiwianRpIjoiNURBYWZMaFpBZmhzYmUiLCJuYmYiOjE2NDY3ODA5NjksImNkbml1YyI6InJlZ2V4Omh0dHA6Ly9jZG5pXFwuZXhhbXBsZS9mb28vYmFyL1swLTldezN9XFwucG5nIn0.IjmVX0uD5MYqArc-M08uEsEeoDQn8kuYXZ9HGHDmDDxsHikT0c8jcX8xYD0z3LzQclMG65i1kT2sRbZ7isUw8w`
const RENEWED = `${HEADER}.eyJjZG5pZXRzIjozMCwiY2RuaXN0dCI6MSwiY2RuaXN0ZCI6MiwiZXhwIjoxNjQ2ODY3MzY5LCJjZG5pdWMiOiJyZWdleDpodHRwOi8vY2RuaVxcLmV4YW1wbGUvZm9vL2Jhci9bMC05XXszfVxcLnRzIn0.tlPvoKw3BCClw4Lx9PQu7MK6b2IN55ZoCPSaxovGK0zS53Wpb1MbJBow7G8LiGR39h6-2Iq7PWUSr3MdTIzHYw`
const SUCCESSOR = `${HEADER}.eyJjZG5pZXRzIjozMCwiY2RuaXN0dCI6MSwiY2RuaXN0ZCI6MiwiZXhwIjoxNjQ2ODY3Mzk5LCJjZG5pdWMiOiJyZWdleDpodHRwOi8vY2RuaVxcLmV4YW1wbGUvZm9vL2Jhci9bMC05XXszfVxcLnRzIn0.ivY5d_fKGd-OHTpUs8uJUrnHvt-rduzu5H4zM7167pUUAghub53FqDQ5G16jRYX2sY73mA_uLpYDdb-CPts8FA`
/** [2001:db8::1/32] in appendix A.2. */
const RFC_CLIENT =
  'eyJlbmMiOiJBMTI4R0NNIiwiYWxnIjoiZGlyIiwia2lkIjoiZi1XYmp4QkMzZFB1STNkMjRrUDJoZnZvczdRejY4OFVUaTZhQjBoTjk5OCJ9..aUDDFEQBIc3nWjOb.bGXWTHPkntmPCKn0pPPNEQ.iyTttnFybO2YBLqwl_YSjA'
const RFC_EXPIRES_MS = 1_646_867_369_000

function scheme(settings: Partial<UriSigningSettings> = {}) {
  return uriSigning({ parameter: NAME, keys: [SECRET], issuers: [], ...settings })
}

async function target(
  claims: Record<string, unknown>,
  path = '/foo/bar',
  key: UriSigningSettings['keys'][number] = SECRET,
) {
  return `${path}?${NAME}=${await signUriSigning({ keys: [key] }, { cdniuc: ANY, ...claims })}`
}

t.test('the examples of RFC 9246 appendix A', async (t) => {
  const rfc = scheme({ keys: [RFC_PUBLIC], issuers: ['uCDN Inc'], audience: 'dCDN LLC' })
  const simple = `/foo/bar?${NAME}=${SIMPLE}`
  t.equal(await judged(rfc, { target: simple, nowMs: RFC_EXPIRES_MS - 1 }), null)
  t.equal(await judged(rfc, { target: simple, nowMs: RFC_EXPIRES_MS }), 'token_expired')
  t.equal(await judged(rfc, { target: `/foo/baz?${NAME}=${SIMPLE}` }), 'token_out_of_scope')
  // A.2 holds an identifier, which who does not store them must refuse (§2.1.7).
  t.equal(await judged(rfc, { target: `/foo/bar/123.png?${NAME}=${COMPLEX}` }), 'token_unsupported')
  for (const token of [RENEWED, SUCCESSOR]) {
    t.equal(await judged(rfc, { target: `/foo/bar/001.ts?${NAME}=${token}` }), null)
    t.equal(await judged(rfc, { target: `/foo/bar/0001.ts?${NAME}=${token}` }), 'token_out_of_scope')
  }
  t.equal(
    hashContainer('http://CDNI.example:80/foo/./bar'),
    'hash:sha-256;2tderfWPa86Ku7YnzW51YUp7dGUjBS_3SW3ELx4hmWY',
  )
})

t.test('a client address is encrypted, and holds', async (t) => {
  const able = scheme({ decryptionKey: RFC_DECRYPTION })
  const asked = { target: await target({ cdniip: RFC_CLIENT }) }
  t.equal(await judged(able, { ...asked, address: '2001:db8:ffff::1' }), null)
  t.equal(await judged(able, { ...asked, address: '2001:db9::1' }), 'token_address')
  t.equal(await judged(scheme(), { ...asked, address: '2001:db8::1' }), 'token_unsupported', 'no key for it')
  t.equal(await judged(scheme({ decryptionKey: 'base64url:AAAAAAAAAAAAAAAAAAAAAA' }), asked), 'token_wrong')
  t.equal(
    await judged(able, { target: await target({ cdniip: '192.0.2.0/24' }) }),
    'token_wrong',
    'must be a JWE',
  )
})

const PLACES: [target: string, token: string | null, rest: string][] = [
  ['/media/path?come=data&token=J.W.T&other=data', 'J.W.T', '/media/path?come=data&other=data'],
  ['/a?token=J', 'J', '/a'],
  ['/a?token=J&b=c', 'J', '/a?b=c'],
  ['/a?b=c&token=J', 'J', '/a?b=c'],
  ['/a;token=J/b.ts?c=d', 'J', '/a/b.ts?c=d'],
  ['/a/b.ts;token=J', 'J', '/a/b.ts'],
  ['/a/b.ts;token=J;v=1', 'J', '/a/b.ts;v=1'],
  ['/a/b.ts;token=J?c=d', 'J', '/a/b.ts?c=d'],
  ['/hellothere/token=J', 'J', '/hellothere'],
  ['/token=J/a/b.ts', 'J', '/a/b.ts'],
  ['/token=J', 'J', '/'],
  ['/a?token=J&token=K', 'J', '/a'],
  ['/a?token=J&token=K&b=c', 'J', '/a?b=c'],
  ['/a;token=K?token=J', 'K', '/a'],
  ['/a?token=', '', '/a'],
  ['/a?token=J,token=K', 'J', '/a'],
  ['/a?xtoken=J', null, '/a?xtoken=J'],
  ['/a?Token=J', null, '/a?Token=J'],
  ['/a/token', null, '/a/token'],
]

for (const [asked, token, rest] of PLACES)
  t.test(`taken off ${asked}`, async (t) => t.same(takePackage(asked, 'token'), { token, target: rest }))

t.test('signatures: the key decides the algorithm, never the token', async (t) => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' })
  const rs = { id: 'rsa', algorithm: 'RS256', public: pem } as const
  const secret = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' })
  const signed = await target({}, '/a', { algorithm: 'RS256', secret })
  t.equal(await judged(scheme({ keys: [{ ...rs, id: undefined }] }), { target: signed }), null)
  t.equal(await judged(scheme({ keys: [rs] }), { target: signed }), null, 'a token without kid tries all')
  // The public key as the secret of an HMAC, the oldest trick.
  const confused = await target({}, '/a', { algorithm: 'HS256', secret: pem })
  t.equal(await judged(scheme({ keys: [rs] }), { target: confused }), 'token_wrong')
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(`{"cdniuc":"${ANY}"}`).toString('base64url')}.`
  t.equal(await judged(scheme(), { target: `/a?${NAME}=${none}` }), 'token_wrong')
  t.equal(await judged(scheme(), { target: `/a?${NAME}=${SIMPLE}` }), 'token_wrong')
  const good = await target({})
  t.equal(await judged(scheme(), { target: `${good.slice(0, -2)}AA` }), 'token_wrong')
  const critical = await new SignJWT({ cdniuc: ANY, mine: 1 })
    .setProtectedHeader({ alg: 'HS256', crit: ['mine'], mine: 1 })
    .sign(Buffer.from(SECRET.secret), { crit: { mine: true } })
  t.equal(await judged(scheme(), { target: `/a?${NAME}=${critical}` }), 'token_unsupported')
  for (const broken of ['', 'x', 'a.b', 'a.b.c', '....', `${SIMPLE}.x`, 'a'.repeat(5000), '%00.%00.%00'])
    t.equal(
      await judged(scheme(), { target: `/a?${NAME}=${broken}` }),
      'token_malformed',
      broken.slice(0, 20),
    )
})

t.test('several keys live at once; kid picks among them', async (t) => {
  const old = { id: 'old', algorithm: 'HS256', secret: 'the secret of last year' } as const
  const both = scheme({ keys: [SECRET, old] })
  t.equal(await judged(both, { target: await target({}, '/a', SECRET) }), null)
  t.equal(await judged(both, { target: await target({}, '/a', old) }), null)
  t.equal(await judged(scheme(), { target: await target({}, '/a', old) }), 'token_wrong', 'it was retired')
  const named = await target({}, '/a', { ...old, id: 'now' })
  t.equal(await judged(both, { target: named }), 'token_wrong', 'signed by another than it says')
})

const CLAIMS: [what: string, claims: Record<string, unknown>, expected: string | null][] = [
  ['nothing but a URI', {}, null],
  ['unknown claims', { mine: 1, sub: 'x' }, null],
  ['version 1', { cdniv: 1 }, null],
  ['another version', { cdniv: 2 }, 'token_unsupported'],
  ['a critical extension', { cdnicrit: 'mine', mine: 1 }, 'token_unsupported'],
  ['an identifier', { jti: 'once' }, 'token_unsupported'],
  ['an issuer that is known', { iss: 'csp' }, null],
  ['another issuer', { iss: 'other' }, 'token_wrong'],
  ['an audience with us', { aud: ['a', 'edge'] }, null],
  ['an audience of others', { aud: 'a' }, 'token_out_of_scope'],
  ['not yet', { nbf: 1_646_800_001 }, 'token_early'],
  ['just now', { nbf: 1_646_800_000, exp: 1_646_800_000.5 }, null],
  ['no longer', { exp: 1_646_800_000 }, 'token_expired'],
  ['a time that is none', { exp: '1646800009' }, 'token_malformed'],
  ['a time beyond time', { exp: 1e300 }, 'token_malformed'],
  ['no URI container', { cdniuc: undefined }, 'token_malformed'],
  ['a container of another form', { cdniuc: 'uri:http://cdni.example/a' }, 'token_unsupported'],
  ['a hash of another kind', { cdniuc: 'hash:md5;AAAA' }, 'token_unsupported'],
  ['a hash that is cut', { cdniuc: 'hash:sha-256;AAAA' }, 'token_malformed'],
  ['a class that POSIX has not', { cdniuc: 'regex:http://cdni.example/\\d+' }, 'token_unsupported'],
  ['a broken expression', { cdniuc: 'regex:http://(' }, 'token_malformed'],
  ['an expression beyond the bound', { cdniuc: `regex:${'a'.repeat(1025)}` }, 'token_malformed'],
  ['an expression over part of the URI', { cdniuc: 'regex:/foo/bar' }, 'token_out_of_scope'],
  ['a time for renewal alone', { cdniets: 30 }, 'token_malformed'],
  ['a way of renewal alone', { cdnistt: 1 }, 'token_malformed'],
  ['no renewal', { cdniets: 30, cdnistt: 0 }, null],
  ['an unknown way of renewal', { cdniets: 30, cdnistt: 3 }, 'token_unsupported'],
  ['a negative depth', { cdniets: 30, cdnistt: 1, cdnistd: -1 }, 'token_malformed'],
  [
    'too many claims',
    Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`c${i}`, 1])),
    'token_malformed',
  ],
]

for (const [what, claims, expected] of CLAIMS)
  t.test(`claims: ${what}`, async (t) => {
    const strict = scheme({ issuers: ['csp'], audience: 'edge' })
    t.equal(await judged(strict, { target: await target(claims) }), expected)
  })

t.test('the URI is compared in its normal form, and by the names of the property', async (t) => {
  const signed = await target({ cdniuc: 'regex:https://shows\\.example/a/[a-z]+~\\.ts(\\?v=%2F)?' }, '')
  const token = signed.slice(signed.indexOf('=') + 1)
  const redirected = scheme({ hosts: ['*.example', 'Shows.example'] })
  const ask = (path: string, host: string, by = redirected) =>
    judged(by, { target: `${path}&${NAME}=${token}`, host, scheme: 'https' })
  t.equal(await ask('/a/b~.ts?v=%2f', 'shows.example'), null)
  t.equal(await ask('/x/../a/%62%7e.ts?v=%2f', 'SHOWS.example:443'), null)
  t.equal(await ask('/a/b~.ts?v=/', 'shows.example'), 'token_out_of_scope')
  t.equal(await ask('/a/b~.ts?v=%2F', 'shows.example:8443', scheme()), 'token_out_of_scope')
  // A redirect brought the client to the edge's own name, on plain HTTP.
  t.equal(await ask('/a/b~.ts?v=%2F', 'gz-1.edges.test'), null)
  t.equal(await ask('/a/b~.ts?v=%2F', 'gz-1.edges.test', scheme()), 'token_out_of_scope')
})

t.test('a renewed token comes in a cookie for the leading path, and is taken like the first', async (t) => {
  const renewing = scheme({ signingKey: RFC_PRIVATE })
  const nowMs = 1_646_867_300_000
  const first = { target: `/foo/bar/001.ts?${NAME}=${RENEWED}`, nowMs }
  const claims = await renewableOf(renewing, first)
  const renewal = await claims.renew('/foo/bar/001.ts', tokenQuery(first))
  assert(renewal !== null)
  t.match(renewal, { by: 'cookie', name: NAME, path: '/foo/bar', holdsMs: 30_000 })
  const cookie = renewalCookie(renewal, { prefix: '/~shows', secure: true, sameSite: 'none' })
  t.equal(
    cookie,
    `${NAME}=${renewal.token}; Path=/~shows/foo/bar; Max-Age=30; HttpOnly; Secure; SameSite=None`,
  )
  const next = { target: '/foo/bar/002.ts', fields: { cookie: `a=b; ${NAME}=${renewal.token}` } }
  t.equal(await judged(renewing, { ...next, nowMs: nowMs + 29_999 }), null)
  t.equal(await judged(renewing, { ...next, nowMs: nowMs + 30_000 }), 'token_expired')
  t.equal(await claims.renew('/short', tokenQuery(first)), null, 'fewer segments than the depth')
  const known = await renewableOf(renewing, { ...next, nowMs })
  t.equal(await known.renew('/foo/bar/002.ts', tokenQuery({ ...next, nowMs })), null, 'still young')
  const later = tokenQuery({ ...next, nowMs: nowMs + 20_000 })
  t.match(await known.renew('/foo/bar/002.ts', later), { by: 'cookie' })
  const plain = await claimsOf(scheme({ keys: [RFC_PUBLIC] }), first)
  t.equal(typeof plain !== 'string' && isRenewable(plain), false, 'without a key to sign with')
})

t.test('of a token in the URI and one in a cookie, either will do', async (t) => {
  const stale = await target({ exp: 1_646_800_000, cdniuc: 'regex:.*/live\\.m3u8' }, '/live.m3u8')
  const fresh = await signUriSigning({ keys: [SECRET] }, { exp: 1_646_800_060, cdniuc: ANY })
  const cookie = `${NAME}=${fresh}`
  t.equal(await judged(scheme(), { target: stale }), 'token_expired')
  t.equal(await judged(scheme(), { target: stale, fields: { cookie } }), null)
  t.equal(await judged(scheme(), { target: stale, fields: { cookie: `${NAME}=junk; ${cookie}` } }), null)
  t.equal(
    await judged(scheme(), { target: stale, fields: { cookie }, nowMs: 1_646_800_060_000 }),
    'token_expired',
  )
  t.equal(await judged(scheme(), { target: stale, fields: { cookie: `${NAME}=junk` } }), 'token_expired')
  t.equal(await judged(scheme(), { target: '/a', fields: { cookie: 'a=b' } }), 'token_missing')
})

t.test('a key that cannot work is said at the start, without the key', async (t) => {
  const wrong: [key: UriSigningSettings['keys'][number], says: RegExp][] = [
    [{ algorithm: 'HS256' }, /needs a secret/],
    [{ algorithm: 'HS256', secret: 'base64url:***' }, /not base64url/],
    [{ algorithm: 'ES256' }, /needs a public key/],
    [{ algorithm: 'ES384', public: JSON.stringify(POINT) }, /curve secp384r1/],
    [{ algorithm: 'RS256', public: JSON.stringify(POINT) }, /must be of RSA/],
    [{ algorithm: 'ES256', public: 'nonsense' }, /neither PEM nor JWK/],
  ]
  for (const [key, says] of wrong) t.throws(() => scheme({ keys: [key] }), { message: says })
  await t.rejects(signUriSigning({ keys: [RFC_PUBLIC] }, {}), { message: /only public keys/ })
})
