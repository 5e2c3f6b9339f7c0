// Common Access Token: published examples, an independent peer in both directions, what each claim lets in.
import assert from 'node:assert'
import { createHash, createHmac } from 'node:crypto'
import t from 'tap'
import { CLAIM, catNetworks } from '../../src/token/cat-claims.ts'
import { CAT_FIELD, cat, signCat } from '../../src/token/cat.ts'
import type { CatSettings } from '../../src/token/cat.ts'
import type { Cbor, CborKey } from '../../src/token/cbor.ts'
import { encodeCbor } from '../../src/token/cbor.ts'
import { EXAMPLE_KEY, KEY_ID, catPeer, cose } from '../kit/cat-peer.ts'
import { judged, tokenQuery } from '../kit/token-query.ts'

const SECRET = `base64url:${EXAMPLE_KEY.toString('base64url')}`
const HS256 = { algorithm: 'HS256', secret: SECRET } as const
const IN_2030 = 1_900_000_000

function scheme(settings: Partial<CatSettings> = {}) {
  return cat({ parameter: 'cat', keys: [HS256], issuers: [], ...settings })
}

function token(
  claims: readonly (readonly [CborKey, Cbor])[],
  key: CatSettings['keys'][number] = HS256,
): string {
  return signCat({ keys: [key] }, new Map(claims))
}

const base64url = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')

// RFC 8392 appendix A.2.3: the key of the signed example.
const EC = {
  kty: 'EC',
  crv: 'P-256',
  x: base64url('143329cce7868e416927599cf65a34f3ce2ffda55a7eca69ed8919a394d42f0f'),
  y: base64url('60f7f1a780d8a783bfb7a2dd6b2796e8128dbbcef9d3d168db9529971a36e7b9'),
}
const EC_PRIVATE = JSON.stringify({
  ...EC,
  d: base64url('6c1382765aec5358f117733d281c1c7bdc39884d04a45a1e6c67c858bc206c19'),
})

t.test('the examples of RFC 8392: A.3 signed with ES256, A.4 with a MAC of 64 bits', async (t) => {
  const payload =
    'a70175636f61703a2f2f61732e6578616d706c652e636f6d02656572696b77037818636f61703a2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0051a5610d9f0061a5610d9f007420b71'
  const signed = `d28443a10126a104524173796d6d657472696345434453413235365850${payload}58405427c1ff28d23fbad1f29c4c7c6a555e601d6fa29f9179bc3d7438bacaca5acd08c8d4d4f96131680c429a01f85951ecee743a52b9b63632c57209120e1c9e30`
  const maced = `d83dd18443a10104a1044c53796d6d65747269633235365850${payload}48093101ef6d789200`
  const rfc = scheme({
    audience: 'coap://light.example.com',
    issuers: ['coap://as.example.com'],
    keys: [
      { id: 'AsymmetricECDSA256', algorithm: 'ES256', public: JSON.stringify(EC) },
      { id: 'Symmetric256', algorithm: 'HS256/64', secret: SECRET },
    ],
  })
  for (const example of [signed, maced]) {
    const target = `/a?cat=${base64url(example)}`
    t.equal(await judged(rfc, { target, nowMs: 1_443_944_944_000 }), null)
    t.equal(await judged(rfc, { target, nowMs: 1_443_944_943_999 }), 'token_early')
    t.equal(await judged(rfc, { target, nowMs: 1_444_064_944_000 }), 'token_expired')
    t.equal(await judged(scheme(), { target }), 'token_wrong', 'the algorithm is of no key')
  }
})

t.test('tokens of Akamai’s CAT module, as published with @eyevinn/cat', async (t) => {
  const published: [token: string, nowMs: number, expected: string | null][] = [
    // {iss: "coap://jonas.example.com", iat, nbf: 1741985961}
    [
      '2D3RhEOhAQWhBFBha2FtYWlfa2V5X2hzMjU2WCijAXgYY29hcDovL2pvbmFzLmV4YW1wbGUuY29tBhpn1JipBRpn1JipWCCX4nQb8SYQoa0SFLxE2Rh35DdTjoA9TzOSy1IP9O1BGQ',
      1_741_985_961_000,
      null,
    ],
    // {exp: 1963080379, iat, nbf}
    [
      '2D3RhEOhAQWhBFBha2FtYWlfa2V5X2hzMjU2U6MEGnUCOrsGGmfXRKwFGmfXRKxYIOM6yRx830uqAamWFv1amFYRa5vaV2z5lIQTqFEvFh8z',
      1_800_000_000_000,
      null,
    ],
    // {exp: 1742159862, iat, nbf}
    [
      '2D3RhEOhAQWhBFBha2FtYWlfa2V5X2hzMjU2U6MEGmfXP_YGGmfXQAsFGmfXQAtYINTT_KlOyhaV6NaSxFXkqJWfBagSkPkem10dysoA-C0w',
      1_800_000_000_000,
      'token_expired',
    ],
    // {aud: ["one", "two"], iat, nbf}
    [
      '2D3RhEOhAQWhBFBha2FtYWlfa2V5X2hzMjU2V6MDgmNvbmVjdHdvBhpn12R8BRpn12R8WCAdnSbUN4KbIvaHLn-q4f4YRpfq6ERYotByjbIyZ-EkfQ',
      1_800_000_000_000,
      null,
    ],
  ]
  for (const [published_, nowMs, expected] of published)
    t.equal(await judged(scheme({ audience: 'one' }), { target: `/a?cat=${published_}`, nowMs }), expected)
})

t.test('what @eyevinn/cat signs is taken, and it takes what is signed here', async (t) => {
  const peer = catPeer()
  const made = await peer.generateFromJson(
    {
      iss: 'csp',
      exp: IN_2030,
      catu: { path: { 'prefix-match': '/shows/' }, extension: { 'exact-match': '.m3u8' } },
      catm: ['GET', 'HEAD'],
      catnip: ['192.0.2.0/24', '2001:db8:0:1::/64'],
      cath: { 'X-Device': { 'exact-match': 'tv' } },
      catr: { type: 'automatic', expadd: 120 },
    },
    { type: 'mac', alg: 'HS256', kid: KEY_ID },
  )
  const asked = { target: `/shows/a.m3u8?cat=${made}`, fields: { 'x-device': 'tv' } }
  t.equal(await judged(scheme(), asked), null)
  t.equal(await judged(scheme(), { ...asked, address: '2001:db8:0:1::7' }), null)
  t.equal(await judged(scheme(), { ...asked, address: '2001:db8:0:2::7' }), 'token_out_of_scope')
  t.equal(await judged(scheme(), { ...asked, target: `/shows/a.ts?cat=${made}` }), 'token_out_of_scope')

  const ours = token([
    [CLAIM.iss, 'csp'],
    [CLAIM.exp, IN_2030],
    [CLAIM.catu, new Map([[3, new Map([[1, '/shows/']])]])],
    [CLAIM.catnip, catNetworks(['192.0.2.0/24', '2001:db8::1']) ?? []],
  ])
  const options = { issuer: 'csp', url: new URL('https://h.example/shows/a'), ip: '192.0.2.9' }
  const read = await peer.validate(ours, 'mac', options)
  t.equal(read.error, undefined)
  t.match(read.cat?.claims, { iss: 'csp', exp: IN_2030, catu: { path: { 'prefix-match': '/shows/' } } })
  const elsewhere = { ...options, url: new URL('https://h.example/a') }
  t.match(await peer.validate(ours, 'mac', elsewhere), { error: { message: /not allowed/ } })

  // ES256 by another implementation of the curve; it does not know the tag of a CWT, `d8 3d`.
  const es256 = Buffer.from(
    token([[CLAIM.exp, IN_2030]], { algorithm: 'ES256', secret: EC_PRIVATE }),
    'base64url',
  )
  const key = { x: Buffer.from(EC.x, 'base64url'), y: Buffer.from(EC.y, 'base64url') }
  const payload = await cose.sign.verify(es256.subarray(2), { key })
  t.same(payload, encodeCbor(new Map([[CLAIM.exp, IN_2030]])))
})

const MATCHES: [component: number, match: [number, Cbor], matches: string[], others: string[]][] = [
  [0, [0, 'https'], ['https://h/a'], ['http://h/a']],
  [1, [0, 'cdn.example'], ['https://CDN.example:8443/a'], ['https://example/a']],
  [1, [2, '.example'], ['https://cdn.example/a'], ['https://example/a']],
  [2, [0, '8443'], ['https://h:8443/a'], ['https://h/a', 'https://h:443/a']],
  [2, [0, ''], ['https://h/a', 'https://h:443/a', 'http://h:80/a'], ['http://h:443/a']],
  [2, [0, '443'], ['https://h/a'], ['http://h/a']],
  [
    3,
    [1, '/content'],
    ['http://h/content/a.ts', 'http://h/x/../content'],
    ['http://h/CONTENT/a.ts', 'http://h/content/../a'],
  ],
  [4, [3, 'b=1'], ['http://h/a?a=2&b=1'], ['http://h/a']],
  [
    5,
    [2, '/content'],
    ['http://h/files/content/file.txt'],
    ['http://h/files/secret-content/a', 'http://h/content'],
  ],
  [6, [2, '.tar.gz'], ['http://h/file.txt.tar.gz'], ['http://h/tar.gz/a']],
  [7, [0, 'content'], ['http://h/a/content', 'http://h/content.ts'], ['http://h/content/a']],
  [8, [0, ''], ['http://h/file'], ['http://h/file.']],
  [8, [0, '.'], ['http://h/file.'], ['http://h/file']],
  [8, [0, '.m3u8'], ['http://h/a.b.m3u8'], ['http://h/a.m3u8.ts']],
  [3, [4, ['^/(live|vod)/[0-9]+/']], ['http://h/live/12/a'], ['http://h/live/x/a', 'http://h/a/live/1/']],
  [3, [-1, createHash('sha256').update('/a').digest()], ['http://h/a'], ['http://h/b']],
  [3, [-1, createHash('sha256').update('/a').digest('hex')], ['http://h/a'], ['http://h/b']],
  [3, [-2, createHash('sha512-256').update('/a').digest()], ['http://h/a'], ['http://h/b']],
]

for (const [component, [kind, operand], matches, others] of MATCHES)
  t.test(
    `catu: component ${component}, match ${kind}, ${JSON.stringify(operand).slice(0, 40)}`,
    async (t) => {
      const signed = token([[CLAIM.catu, new Map([[component, new Map([[kind, operand]])]])]])
      const ask = (url: string) => {
        const [, which, host, target] = /^(https?):\/\/([^/]+)(.*)$/.exec(url) ?? []
        assert(host !== undefined && target !== undefined)
        const fields = { [CAT_FIELD]: signed }
        return judged(scheme(), { target, host, scheme: which === 'https' ? 'https' : 'http', fields })
      }
      for (const url of matches) t.equal(await ask(url), null, url)
      for (const url of others) t.equal(await ask(url), 'token_out_of_scope', url)
    },
  )

const CLAIMS: [what: string, claims: [CborKey, Cbor][], expected: string | null][] = [
  ['none', [], null],
  [
    'what limits nothing',
    [
      [2, 'me'],
      [6, 1],
      [7, Buffer.of(1)],
      [320, 'x'],
      [322, new Map()],
    ],
    null,
  ],
  ['version 1', [[310, 1]], null],
  ['another version', [[310, 2]], 'token_unsupported'],
  ['replay permitted', [[308, 0]], null],
  ['replay forbidden', [[308, 1]], 'token_unsupported'],
  ['a method', [[313, ['GET']]], null],
  ['another method', [[313, ['HEAD', 'get']]], 'token_out_of_scope'],
  ['an address', [[311, catNetworks(['192.0.2.1']) ?? []]], null],
  ['another address', [[311, catNetworks(['192.0.2.2']) ?? []]], 'token_address'],
  ['one of several networks', [[311, catNetworks(['10.0.0.0/8', '192.0.2.0/31']) ?? []]], null],
  ['a short network', [[311, [{ tag: 52, value: [24, Buffer.of(192, 0, 2)] }]]], null],
  ['an address that is short', [[311, [{ tag: 52, value: Buffer.of(192) }]]], 'token_malformed'],
  [
    'a length beyond the address',
    [[311, [{ tag: 52, value: [33, Buffer.of(192, 0, 2, 1)] }]]],
    'token_malformed',
  ],
  ['an AS number', [[311, [4134]]], 'token_unsupported'],
  ['a field that is not there', [[315, new Map([['X-A', new Map([[0, 'b']])]])]], 'token_out_of_scope'],
  ['a protocol', [[314, [Buffer.from('h2')]]], 'token_unsupported'],
  ['a country', [[316, ['CN']]], 'token_unsupported'],
  ['a probability', [[309, [0.5, 1]]], 'token_unsupported'],
  ['proof of possession', [[8, new Map([[3, Buffer.of(1)]])]], 'token_unsupported'],
  ['what nobody knows', [[70_000, 1]], 'token_unsupported'],
  ['a name of its own', [['mine', 1]], 'token_unsupported'],
  ['a match of an unknown kind', [[312, new Map([[3, new Map([[9, '/']])]])]], 'token_unsupported'],
  ['a component of an unknown kind', [[312, new Map([[9, new Map([[0, '/']])]])]], 'token_unsupported'],
  ['groups of an expression', [[312, new Map([[3, new Map([[4, ['/(a)', 'a']]])]])]], 'token_unsupported'],
  ['a URI that is none', [[312, '/a']], 'token_malformed'],
  ['a time that is none', [[4, 'soon']], 'token_malformed'],
  ['an issuer that is none', [[1, 7]], 'token_malformed'],
  ['an audience without one here', [[3, 'edge']], 'token_unsupported'],
  ['more claims than the bound', Array.from({ length: 65 }, (_, i) => [1000 + i, 1]), 'token_malformed'],
]

for (const [what, claims, expected] of CLAIMS)
  t.test(`claims: ${what}`, async (t) =>
    t.equal(await judged(scheme(), { target: `/a?cat=${token(claims)}` }), expected),
  )

t.test('where it stands: field, query, cookie; none of it is left in the target', async (t) => {
  const good = token([])
  const take = (target: string, fields = {}) => scheme().take(tokenQuery({ target, fields }))
  t.same(take('/a?b=c&cat=T&d=e'), { token: 'T', target: '/a?b=c&d=e' })
  t.same(take('/a?cat=T&cat=U'), { token: 'T U', target: '/a' })
  t.same(take('/a?cat=T', { [CAT_FIELD]: 'F', cookie: 'x=y; CTA-Common-Access-Token=C' }), {
    token: 'F T C',
    target: '/a',
  })
  t.same(take('/a?xcat=T'), { token: null, target: '/a?xcat=T' })
  for (const fields of [
    { [CAT_FIELD]: good },
    { cookie: `cat=${good}` },
    { cookie: `cta-common-access-token=${good}` },
  ])
    t.equal(await judged(scheme(), { target: '/a', fields }), null)
  t.equal(await judged(scheme(), { target: `/a?cat=${good}%3D` }), null, 'padding')
  for (const broken of [
    '',
    'a b',
    'A',
    '%',
    `${good}.`,
    'A'.repeat(5000),
    base64url('83'),
    base64url('d83dd183404040'),
  ])
    t.equal(await judged(scheme(), { target: `/a?cat=${broken}` }), 'token_malformed', broken.slice(0, 20))
})

t.test('keys: several live, picked by kid, each for its own algorithm', async (t) => {
  const old = { id: 'old', algorithm: 'HS256', secret: 'the secret of last year' } as const
  const now = { id: 'now', ...HS256 } as const
  const both = scheme({ keys: [now, old] })
  const ask = (signed: string, by = both) => judged(by, { target: `/a?cat=${signed}` })
  t.equal(await ask(token([], now)), null)
  t.equal(await ask(token([], old)), null)
  t.equal(await ask(token([], HS256)), null, 'without kid all are tried')
  t.equal(await ask(token([], { ...old, id: 'now' })), 'token_wrong')
  t.equal(
    await ask(token([], { ...HS256, algorithm: 'HS512' })),
    'token_wrong',
    'another algorithm with the same secret',
  )
  t.equal(await ask(token([], { ...HS256, algorithm: 'HS256/64' })), 'token_wrong', 'a MAC that is cut short')
  const es256 = scheme({ keys: [{ algorithm: 'ES256', public: JSON.stringify(EC) }] })
  t.equal(await ask(token([], { algorithm: 'ES256', secret: EC_PRIVATE }), es256), null)
})

t.test('messages of COSE that are authentic, and not what they say', async (t) => {
  const payload = encodeCbor(new Map())
  const message = (tag: number, context: string, header: readonly (readonly [CborKey, Cbor])[]) => {
    const protectedBytes = encodeCbor(new Map(header))
    const covered = encodeCbor([context, protectedBytes, Buffer.alloc(0), payload])
    const mac = createHmac('sha256', EXAMPLE_KEY).update(covered).digest()
    const bytes = encodeCbor({ tag, value: [protectedBytes, new Map(), payload, mac] })
    return `/a?cat=${bytes.toString('base64url')}`
  }
  const header = [[1, 5]] as const
  t.equal(await judged(scheme(), { target: message(17, 'MAC0', header) }), null)
  t.equal(
    await judged(scheme(), { target: message(18, 'Signature1', header) }),
    'token_wrong',
    'a MAC as a signature',
  )
  t.equal(await judged(scheme(), { target: message(17, 'MAC', header) }), 'token_wrong')
  t.equal(await judged(scheme(), { target: message(16, 'MAC0', header) }), 'token_malformed')
  t.equal(await judged(scheme(), { target: message(17, 'MAC0', []) }), 'token_wrong', 'no algorithm')
  const critical = message(17, 'MAC0', [
    [1, 5],
    [2, [99]],
    [99, 1],
  ])
  t.equal(await judged(scheme(), { target: critical }), 'token_unsupported')
})
