// The token check of a property: which of several tokens counts, which paths need none, what is remembered.
import t from 'tap'
import { GrantKeys } from '../../src/access/grant.ts'
import { grantCookieName } from '../../src/access/grant-carrier.ts'
import { TokenGate } from '../../src/access/token-gate.ts'
import type { TokenJudgement } from '../../src/access/token-gate.ts'
import { createHdnts, signHdnts } from '../../src/token/hdnts.ts'
import { createSecureLink, signSecureLink } from '../../src/token/secure-link.ts'
import type { TokenScheme } from '../../src/token/token.ts'
import { createTypeA, signTypeA } from '../../src/token/type-a.ts'
import { tokenQuery } from '../kit/token.ts'

const KEY = 'key-of-the-gate'
const HEX = '0123456789abcdef'
const NOW = 1_700_000_000_000
const grants = new GrantKeys('shows', [KEY])

function gateOf(scheme: TokenScheme, isFree: (path: string) => boolean = () => false): TokenGate {
  return new TokenGate({ propertyId: 'shows', scheme, grants, skewMs: 0, isFree })
}

const gate = gateOf(createTypeA({ keys: [KEY] }))
const signed = (path: string) => signTypeA({ keys: [KEY] }, path, { nowMs: NOW })

function judge(
  of: TokenGate,
  target: string,
  headers: Record<string, string> = {},
  nowMs = NOW,
): TokenJudgement {
  const query = tokenQuery(target, { nowMs, headers })
  const presented = of.take(query)
  const judged = of.judge(presented, { ...query, target: presented.grant.target })
  if (judged instanceof Promise) throw new TypeError('this scheme does not wait')
  return judged
}

const grantFor = (directory: string, expiresMs = NOW + 60_000) =>
  grants.sign({ session: 'AAAAAAAAAAA', expiresMs, bound: false }, { directory }, '')

t.test('a token, a grant, either, neither', async (t) => {
  t.match(judge(gate, signed('/a/x.m3u8')), { refusal: null, admitted: { session: null, grant: null } })
  t.match(judge(gate, `/a/x.ts?~g=${grantFor('/a/')}`), { admitted: { session: 'AAAAAAAAAAA' } })
  t.match(judge(gate, `/~~${grantFor('/a/')}/a/x.ts`), { admitted: { grant: { by: 'path' } } })
  const cookie = `a=b; ${grantCookieName('shows', '/a/')}=${grantFor('/a/')}`
  t.match(judge(gate, '/a/x.ts', { cookie }), { admitted: { grant: { by: 'cookie' } } })
  t.match(judge(gate, '/a/x.ts'), { refusal: 'token_missing', status: 403 })
})

t.test('what is no good does not outweigh what is', async (t) => {
  const good = grantFor('/a/')
  t.match(
    judge(gate, `${signed('/b/x.m3u8').replace('/b/', '/a/')}&~g=${good}`),
    { refusal: null },
    'a wrong token',
  )
  t.match(judge(gate, `${signed('/a/x.m3u8')}&~g=${grantFor('/b/')}`), { refusal: null }, 'a wrong grant')
  const wrong = `${grantCookieName('shows', '/b/')}=${grantFor('/b/')}`
  const right = `${grantCookieName('shows', '/a/')}=${good}`
  t.match(
    judge(gate, '/a/x.ts', { cookie: `${wrong}; ${right}` }),
    { refusal: null },
    'a cookie of another title',
  )
  t.match(judge(gate, signed('/a/x.m3u8'), { cookie: wrong }), { refusal: null })
  t.match(judge(gate, `/a/x.ts?~g=${grantFor('/a/', NOW - 1000)}`), { refusal: 'token_expired' })
  const many = `${Array.from({ length: 20 }, (_, i) => `${grantCookieName('shows', `/${i}/`)}=x`).join('; ')}; ${right}`
  t.match(
    judge(gate, '/a/x.ts', { cookie: many }),
    { refusal: 'token_malformed' },
    'only so many are looked at',
  )
})

t.test('paths that need none', async (t) => {
  const some = gateOf(createTypeA({ keys: [KEY] }), (path) => path.startsWith('/free/'))
  t.strictSame(judge(some, '/free/poster.jpg'), { refusal: null, admitted: null })
  for (const target of ['/free/../paid/x.ts', '/free/%2e%2e/paid/x.ts', '/free/.%2E/paid/x.ts'])
    t.match(judge(some, target), { refusal: 'token_missing' }, `${target} is not one of them`)
  t.match(judge(some, '/free%2fx'), { refusal: 'token_missing' })
})

t.test('a scope that the path leaves again', async (t) => {
  const settings = { keys: [HEX] }
  const acl = gateOf(createHdnts(settings))
  const options = { nowMs: NOW, expiresMs: NOW + 60_000, acl: '/free/*' }
  t.match(judge(acl, signHdnts(settings, '/free/x.ts', options)), { refusal: null })
  for (const path of ['/free/../paid/x.ts', '/free/%2e%2e/paid/x.ts'])
    t.match(judge(acl, signHdnts(settings, path, options)), { refusal: 'token_out_of_scope' }, path)
})

t.test('statuses of the scheme', async (t) => {
  const settings = { keys: [KEY] }
  const links = gateOf(createSecureLink(settings))
  const target = signSecureLink(settings, '/a/x.ts', { nowMs: NOW, expiresMs: NOW + 1000 })
  t.match(judge(links, target), { refusal: null })
  t.match(judge(links, target, {}, NOW + 2000), { refusal: 'token_expired', status: 410 })
  t.match(judge(links, target.replace('/a/', '/b/')), { refusal: 'token_wrong', status: 403 })
})

t.test('what is authentic is remembered, until its time is over', async (t) => {
  const fresh = gateOf(createTypeA({ keys: [KEY], validityMs: 1000 }))
  const target = signTypeA({ keys: [KEY], validityMs: 1000 }, '/a/x.m3u8', { nowMs: NOW })
  t.match(judge(fresh, target), { refusal: null })
  t.equal(fresh.rememberedCount, 1)
  t.match(judge(fresh, target), { refusal: null })
  t.equal(fresh.rememberedCount, 1)
  t.match(judge(fresh, target, {}, NOW + 2000), { refusal: 'token_expired' })
  judge(fresh, target.replace('/a/', '/b/'))
  t.equal(fresh.rememberedCount, 1, 'what is not is not')
})
