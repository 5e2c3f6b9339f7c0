// The token gate for every scheme: nothing throws, a spelling that the origin may read otherwise gains nothing, a grant
// is worth what it says and no more, and what is remembered is bounded however it is flooded.
import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { CarriedGrants } from '../../src/access/carried-grants.ts'
import { grantCookieName, takeGrant } from '../../src/access/grant-carrier.ts'
import { isAtTop, scopeOf } from '../../src/access/grant.ts'
import { hidesClimb, isVeiled, originReadings } from '../../src/access/origin-reading.ts'
import { compileAccess } from '../../src/access/property-access.ts'
import type { PropertyTokens } from '../../src/access/property-access.ts'
import { signUrlTarget } from '../../src/access/sign-url.ts'
import { REMEMBERED_BYTES_MAX } from '../../src/access/token-gate.ts'
import type { TokenJudgement } from '../../src/access/token-gate.ts'
import { accessSchema } from '../../src/config/access-schema.ts'
import { IN_FILE } from '../../src/config/scalar-form.ts'
import type { TokenSettings } from '../../src/config/token-schema.ts'
import { normalisePath } from '../../src/http/normal-path.ts'
import { CLAIM, catNetworks } from '../../src/token/cat-claims.ts'
import { signCat } from '../../src/token/cat.ts'
import type { Cbor, CborKey } from '../../src/token/cbor.ts'
import { verdictOf } from '../kit/access.ts'
import { laxly } from '../kit/access-rig.ts'
import type { LaxReading } from '../kit/access-rig.ts'
import { tokenQuery } from '../kit/token.ts'

const NOW = Date.UTC(2026, 0, 1)
const HOST = 'shows.example.com'
const KEY = 'key-of-the-gate-property'
const CAT_KEY = { algorithm: 'HS256', secret: 'another-key-of-the-gate' } as const
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
const pem = ec.export({ type: 'pkcs8', format: 'pem' })

const SETTINGS: readonly Record<string, unknown>[] = [
  { scheme: 'type-a', keys: [KEY] },
  { scheme: 'type-b', keys: [KEY] },
  { scheme: 'type-c', keys: [KEY] },
  { scheme: 'type-c', keys: [KEY], place: 'query' },
  { scheme: 'type-d', keys: [KEY] },
  { scheme: 'secure-link', keys: [KEY] },
  { scheme: 'hdnts', keys: ['0123456789abcdef'] },
  { scheme: 'uri-signing', keys: [{ algorithm: 'ES256', secret: pem }], grantKeys: [KEY] },
  { scheme: 'cat', keys: [CAT_KEY] },
]

function settingsOf(tokens: Record<string, unknown>): TokenSettings {
  const settings = accessSchema(IN_FILE).parse({ tokens }).tokens
  if (settings === undefined) throw new Error('no tokens')
  return settings
}

function tokensOf(given: Record<string, unknown>): PropertyTokens {
  const access = accessSchema(IN_FILE).parse({ tokens: given, keys: { match: ['*.key'] } })
  const { tokens } = compileAccess({ id: 'shows', hosts: [HOST] }, access)
  if (tokens === null) throw new Error('no tokens')
  return tokens
}

function judge(
  { gate }: PropertyTokens,
  target: string,
  headers: Record<string, string> = {},
  address = '192.0.2.7',
): TokenJudgement | Promise<TokenJudgement> {
  const query = tokenQuery(target, { nowMs: NOW, host: HOST, headers, address })
  const presented = gate.take(query)
  return gate.judge(presented, { ...query, target: presented.grant.target })
}

const PIECES =
  '/ // . .. ... ; ;a=b % %2f %2F %5c %2e %2E %3b %00 %20 %25 %252e %252f %c0%ae %C0%AF %e2%82%ac %41 a b show paid free x.ts x.jpg a.key A.KEY ~ ~~x'.split(
    ' ',
  )
const oddPath = fc
  .tuple(
    fc.constantFrom('', 'free/', 'show/', 'paid'),
    fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }),
  )
  .map(([first, pieces]) => normalisePath(`/${first}${pieces.join('')}`))
  .filter((path) => path !== null)
/** Any server: what it reads must be what was judged, whichever it is. */
const reading: fc.Arbitrary<LaxReading> = fc.record({
  decodes: fc.integer({ min: 0, max: 3 }),
  endsSegments: fc.constantFrom('before', 'behind', 'never'),
  overlong: fc.boolean(),
  backslashes: fc.boolean(),
  cutsAtNul: fc.boolean(),
  mergesSlashes: fc.boolean(),
  trimsNames: fc.boolean(),
})
const WORDS = [
  ...PIECES,
  ...'? & = auth_key= sign= t= md5= expires= hdnts= cat= URISigningPackage= ~g= %7Eg= # - ! *'.split(' '),
]
const garbage = fc.oneof(
  fc.array(fc.constantFrom(...WORDS), { maxLength: 20 }).map((parts) => `/${parts.join('')}`),
  fc.string({ unit: 'binary', maxLength: 60 }).map((text) => `/${text}`),
)

t.test('a plain path has one reading', async () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9_~-]([A-Za-z0-9._~-]{0,10}[A-Za-z0-9_~-])?$/)
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), fc.boolean(), (segments, ends) => {
      const path = `/${segments.join('/')}${ends ? '/' : ''}`
      return originReadings(path).length === 0 && !hidesClimb(path) && !isVeiled(path)
    }),
  )
})

t.test('a grant is good for paths that lead below its scope, for us and for the origin', async () => {
  const tokens = tokensOf({ scheme: 'type-a', keys: [KEY] })
  const grant = { session: 'AAAAAAAAAAA', expiresMs: NOW + 60_000, bound: false }
  let admitted = 0
  fc.assert(
    fc.property(
      oddPath,
      oddPath,
      fc.constantFrom('query', 'path', 'cookie'),
      reading,
      (main, path, by, how) => {
        const scope = scopeOf(main)
        const text = tokens.grants.sign(grant, scope, '')
        const [target, headers] =
          by === 'query'
            ? [`${path}?~g=${text}`, {}]
            : by === 'path'
              ? [`/~~${text}${path}`, {}]
              : [path, { cookie: `${grantCookieName('shows', '/')}=${text}` }]
        const judged = judge(tokens, target, headers)
        if (judged instanceof Promise) throw new TypeError('waits')
        if (judged.refusal !== null) return true
        admitted++
        if ('exact' in scope) return path === scope.exact
        const below = laxly(scope.directory, how).replace(/\/+$/, '')
        return (
          path.startsWith(scope.directory) && below !== '' && `${laxly(path, how)}/`.startsWith(`${below}/`)
        )
      },
    ),
    { numRuns: 5000 },
  )
  if (admitted < 50) throw new Error(`only ${admitted} were admitted: nothing is shown`)
})

t.test('no reply carries a grant for more than the playlist and what it names', async () => {
  const tokens = tokensOf({ scheme: 'type-a', keys: [KEY] })
  const admission = { session: null, expiresMs: NOW, bound: false, grant: null, renewable: null }
  fc.assert(
    fc.property(oddPath, oddPath, (path, named) => {
      const grants = new CarriedGrants(
        tokens.grants,
        admission,
        { path, address: '', session: null },
        NOW,
        1000,
      )
      const text = grants.textFor(scopeOf(named))
      return isAtTop(named)
        ? tokens.grants.open(text, '/paid/x.ts', '') === 'token_wrong'
        : !text.includes('.0.')
    }),
  )
})

t.test('what needs no token needs none however its origin reads it, and a key always does', async () => {
  const tokens = tokensOf({ scheme: 'type-a', keys: [KEY], except: ['/free/**', '*.jpg'] })
  fc.assert(
    fc.property(oddPath, reading, (path, how) => {
      // Taken for a grant in front of the path.
      if (path.startsWith('/~~')) return true
      const judged = judge(tokens, path)
      if (judged instanceof Promise || judged.refusal !== null) return true
      const read = laxly(path, how)
      const last = read.slice(read.lastIndexOf('/') + 1)
      return (`${read}/`.startsWith('/free/') || last.endsWith('.jpg')) && !/\.key$/i.test(last)
    }),
    { numRuns: 5000 },
  )
})

for (const given of SETTINGS) {
  const settings = settingsOf(given)
  const name = settings.scheme
  t.test(`${name}: garbage anywhere is refused, and nothing throws`, async (t) => {
    const tokens = tokensOf(given)
    await fc.assert(
      fc.asyncProperty(garbage, garbage, garbage, async (target, cookie, field) => {
        const headers = {
          cookie: `hdnts=${cookie}; cat=${field}; URISigningPackage=${cookie}; edgeward-shows~a=${field};${cookie}`,
          'cta-common-access-token': field,
        }
        const judged = await judge(tokens, target, headers)
        return judged.refusal !== null && takeGrant(takeGrant(target).target).by !== 'query'
      }),
      { numRuns: 300 },
    )
    t.equal(tokens.gate.rememberedCount, 0, 'nor is it remembered')
  })

  t.test(`${name}: a token for one path opens no path that is served otherwise`, async (t) => {
    const tokens = tokensOf(given)
    const origin = `https://${HOST}`
    const signed = await signUrlTarget(settings, '/show/v/main.m3u8', {
      nowMs: NOW,
      expiresMs: NOW + 60_000,
      origin,
    })
    t.equal((await judge(tokens, signed)).refusal, null, 'it opens its own')
    await fc.assert(
      fc.asyncProperty(oddPath, fc.boolean(), async (path, below) => {
        const other = below ? `/show/v${path}` : path
        const judged = await judge(tokens, signed.replace('/show/v/main.m3u8', other))
        return judged.refusal !== null || normalisePath(other) === '/show/v/main.m3u8'
      }),
      { numRuns: 200 },
    )
  })
}

t.test('rules about paths hold for what an origin serves, whichever it is', async (t) => {
  let letIn = 0
  fc.assert(
    fc.property(oddPath, reading, (path, how) => {
      const read = laxly(path, how)
      const isDenied =
        verdictOf({ rules: [{ deny: { paths: ['/paid/**'] } }, { allow: {} }] }, { path }) !== 'pass'
      const isAllowed = verdictOf({ rules: [{ allow: { paths: ['/free/**'] } }] }, { path }) === 'pass'
      if (isAllowed) letIn++
      return (isDenied || !read.startsWith('/paid/')) && (!isAllowed || `${read}/`.startsWith('/free/'))
    }),
    { numRuns: 10_000 },
  )
  t.ok(letIn > 10, `${letIn} were let in`)
})

function scoped(directory: string): [CborKey, Cbor] {
  return [CLAIM.catu, new Map([[3, new Map([[1, directory]])]])]
}

type Claims = readonly (readonly [CborKey, Cbor])[]

t.test(
  'the grant of two tokens is that of the one that admits: not the end or the address of the other',
  async (t) => {
    const tokens = tokensOf({ scheme: 'cat', keys: [CAT_KEY] })
    const catFor = (claims: Claims) => signCat({ keys: [CAT_KEY] }, new Map(claims))
    const seconds = NOW / 1000
    const bound: [CborKey, Cbor] = [CLAIM.catnip, catNetworks(['192.0.2.7']) ?? []]
    const mine = catFor([[CLAIM.exp, seconds + 600], scoped('/show/'), bound])
    for (const [what, other] of [
      ['an old one', catFor([[CLAIM.exp, seconds - 1]])],
      ['one of another title, for years', catFor([[CLAIM.exp, seconds + 1e8], scoped('/other/')])],
      ['one of another title, without end', catFor([scoped('/other/')])],
      [
        'one of another address',
        catFor([
          [CLAIM.exp, seconds + 1e8],
          [CLAIM.catnip, catNetworks(['198.51.100.1']) ?? []],
        ]),
      ],
    ] as const)
      for (const cookie of [`cat=${mine}; cat=${other}`, `cat=${other}; cat=${mine}`])
        t.match(
          await judge(tokens, '/show/main.m3u8', { cookie }),
          { refusal: null, admitted: { expiresMs: (seconds + 600) * 1000, bound: true } },
          what,
        )
    const hidden = await judge(tokens, '/show/..%2Fother/x.ts', { cookie: `cat=${mine}` })
    t.equal(hidden.refusal, 'token_out_of_scope', 'a prefix holds for what the origin may read, too')
  },
)

t.test('one good token with ever other company fills no memory', async (t) => {
  const tokens = tokensOf({ scheme: 'cat', keys: [CAT_KEY] })
  const good = signCat({ keys: [CAT_KEY] }, new Map<CborKey, Cbor>([[CLAIM.exp, NOW / 1000 + 600]]))
  let largest = 0
  for (let i = 0; i < 4000; i++) {
    const junk = String(i).padStart(10, 'x').repeat(350)
    const cookie = `cat=${good}; cat=${junk}a; cat=${junk}b; cat=${junk}c`
    if ((await judge(tokens, '/show/x.ts', { cookie })).refusal !== null) throw new Error('it is good')
    largest = Math.max(largest, tokens.gate.rememberedCount)
  }
  t.ok(largest * 2 * 10_500 <= REMEMBERED_BYTES_MAX, `${largest} entries of 10 KB`)
  t.ok(largest > 100)
})
