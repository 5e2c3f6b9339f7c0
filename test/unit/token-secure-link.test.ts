// nginx's secure_link_md5: its documentation's example, what an expression may hold, where this is stricter. That a
// real nginx gives the same verdicts is shown in token-secure-link-nginx.test.ts.
import t from 'tap'
import { createSecureLink, signSecureLink } from '../../src/token/secure-link.ts'
import { eachCharacterChanged, tokenQuery, tokenVerdict } from '../kit/token.ts'

/** The example of ngx_http_secure_link_module: `$secure_link_expires$uri$remote_addr secret`. */
const documented = { keys: ['secret'], expression: '$secure_link_expires$uri$remote_addr $key' }
const link = '/s/link?md5=_e4Nc3iduzkWRm01TBBNYw&expires=2147483647'
const here = { nowMs: Date.UTC(2026, 0, 1) }
const local = { ...here, address: '127.0.0.1' }
const scheme = createSecureLink(documented)

t.test('what nginx documents is admitted, and signed alike', async (t) => {
  t.equal(tokenVerdict(scheme, link, local), 'admitted')
  const signed = signSecureLink(documented, '/s/link', { ...local, expiresMs: 2_147_483_647_000 })
  t.equal(signed, '/s/link?expires=2147483647&md5=_e4Nc3iduzkWRm01TBBNYw')
  // The wiki's older example (HttpSecureLinkModule): `segredo$uri$arg_e`, hash and end called st and e.
  const wiki = { keys: ['segredo'], expression: '$key$uri$arg_e', hashParameter: 'st', expiresParameter: 'e' }
  const target = '/p/files/top_secret.pdf?st=PIrEk4JX5gJPTGmvqJG41g&e=1324527723'
  t.equal(tokenVerdict(createSecureLink(wiki), target, { nowMs: 1_324_527_723_000 }), 'admitted')
  t.equal(tokenVerdict(createSecureLink(wiki), target, { nowMs: 1_324_527_724_000 }), 'token_expired')
})

t.test('wrong is 403, expired is 410, and the second of its end still counts', async (t) => {
  t.equal(scheme.statuses.token_expired, 410)
  t.equal(scheme.statuses.token_wrong, undefined)
  const endMs = 2_147_483_647_000
  t.equal(tokenVerdict(scheme, link, { ...local, nowMs: endMs + 999 }), 'admitted')
  t.equal(tokenVerdict(scheme, link, { ...local, nowMs: endMs + 1000 }), 'token_expired')
  t.equal(tokenVerdict(scheme, link, { ...local, nowMs: endMs + 5999 }, 5000), 'admitted')
  t.equal(
    tokenVerdict(scheme, link.replace('_e4N', '_e4M'), { ...local, nowMs: endMs + 1000 }),
    'token_wrong',
  )
})

t.test('bound to an address where the expression says so', async (t) => {
  t.equal(tokenVerdict(scheme, link, { ...local, address: '127.0.0.2' }), 'token_wrong')
  t.equal(tokenVerdict(scheme, link, { ...local, address: '' }), 'token_address', 'not known')
  const signed = signSecureLink(documented, '/s/link', { ...local, address: '2001:db8::1' })
  t.equal(tokenVerdict(scheme, signed, { ...local, address: '2001:db8::1' }), 'admitted')
  t.equal(tokenVerdict(scheme, signed, local), 'token_wrong')
  t.throws(() => signSecureLink(documented, '/s/link', here), /needs the client/)
  t.throws(
    () => signSecureLink({ keys: ['k'] }, '/s/link', local),
    /no \$remote_addr/,
    'not silently for everyone',
  )
})

t.test('taken off in any place; an end alone is no token; twice is none', async (t) => {
  const token = '_e4Nc3iduzkWRm01TBBNYw/2147483647'
  const parts = ['a=1', 'expires=2147483647', 'b', 'md5=_e4Nc3iduzkWRm01TBBNYw', 'c=%20']
  t.strictSame(scheme.take(tokenQuery(`/s/link?${parts.join('&')}`, local)), {
    target: '/s/link?a=1&b&c=%20',
    token,
  })
  const alone = '/s/link?expires=2147483647'
  t.strictSame(scheme.take(tokenQuery(alone, local)), { target: alone, token: null })
  t.equal(tokenVerdict(scheme, `${link}&expires=2147483647`, local), 'token_malformed')
  t.equal(tokenVerdict(scheme, `${link}&md5=_e4Nc3iduzkWRm01TBBNYw`, local), 'token_malformed')
  t.equal(tokenVerdict(scheme, '/s/link?md5=_e4Nc3iduzkWRm01TBBNYw', local), 'token_malformed')
})

t.test('not one character may differ', async (t) => {
  for (const changed of eachCharacterChanged(link))
    t.not(tokenVerdict(scheme, changed, local), 'admitted', changed)
  // The last of 22 base64 digits has four bits that count for nothing; nginx takes 16 spellings of it.
  t.equal(tokenVerdict(scheme, link.replace('BNYw', 'BNYx'), local), 'token_wrong')
  t.equal(
    tokenVerdict(scheme, link.replace('BNYw', 'BNYw=='), local),
    'admitted',
    'padded, as nginx takes it',
  )
  t.equal(tokenVerdict(scheme, link.replace('BNYw', 'BNYw='), local), 'token_malformed')
})

t.test('the path is signed decoded; spellings that could be another path are not covered', async (t) => {
  const plain = { keys: ['k'] }
  const open = createSecureLink(plain)
  const signed = signSecureLink(plain, '/dir/a b,c.ts', here)
  t.match(signed, /^\/dir\/a%20b,c\.ts\?/)
  t.equal(tokenVerdict(open, signed, local), 'admitted')
  for (const same of ['/dir/a%20b%2Cc.ts', '/dir/a%20b%2cc%2Ets', '/x/../dir/%61%20b,c.ts']) {
    t.equal(tokenVerdict(open, signed.replace(/^[^?]*/, same), local), 'admitted', same)
  }
  for (const other of [
    '/dir%2Fa%20b,c.ts',
    '/dir//a%20b,c.ts',
    '//dir/a%20b,c.ts',
    '/dir/a%20b,c.ts%00',
    '/dir/a%2',
  ]) {
    t.equal(tokenVerdict(open, signed.replace(/^[^?]*/, other), local), 'token_out_of_scope', other)
  }
  t.equal(tokenVerdict(open, signed.replace('/dir/', '/Dir/'), local), 'token_wrong')
  const bytes = signSecureLink(plain, '/%E9%ff.ts', here)
  t.equal(tokenVerdict(open, bytes, local), 'admitted', 'bytes that are no UTF-8')
})

t.test('host, scheme, browser and arguments', async (t) => {
  const settings = {
    keys: ['k'],
    expression: '${host}|$scheme|$http_user_agent|$arg_user|$uri|$arg_expires|$key',
  }
  const bound = createSecureLink(settings)
  const options = { nowMs: local.nowMs, host: 'CDN.example.com.', scheme: 'http', userAgent: 'tv/1' } as const
  const request = {
    nowMs: local.nowMs,
    host: 'cdn.example.com:8090',
    scheme: 'http',
    headers: { 'user-agent': 'tv/1' },
  } as const
  const signed = signSecureLink(settings, '/a?user=7', options)
  t.equal(tokenVerdict(bound, signed, request), 'admitted')
  t.equal(tokenVerdict(bound, signed.replace('user=7', 'USER=7'), request), 'admitted', 'as $arg_ in nginx')
  t.equal(tokenVerdict(bound, signed, { ...request, host: 'other.example.com' }), 'token_wrong')
  t.equal(tokenVerdict(bound, signed, { ...request, scheme: 'https' }), 'token_wrong')
  t.equal(tokenVerdict(bound, signed, { ...request, headers: {} }), 'token_wrong')
  t.equal(tokenVerdict(bound, signed.replace('user=7', 'user=8'), request), 'token_wrong')
  t.equal(tokenVerdict(bound, `${signed}&user=8`, request), 'token_malformed', 'which of the two is meant?')
  const taken = bound.take(tokenQuery(signed, request))
  const named = (host: string) =>
    bound.nameOf(taken.token ?? '', taken, tokenQuery(signed, { ...request, host }))
  t.equal(named('cdn.example.com'), named(request.host))
  t.not(named('other.example.com'), named(request.host), 'remembered for this host only')
})

t.test('an expression without the end gives links that do not end', async (t) => {
  const settings = { keys: ['k'], expression: '$uri $key' }
  const endless = createSecureLink(settings)
  const signed = signSecureLink(settings, '/a?expires=1', here)
  t.match(signed, /^\/a\?expires=1&md5=[\w-]{22}$/)
  t.equal(tokenVerdict(endless, signed, { nowMs: Date.UTC(2200, 0, 1) }), 'admitted')
  t.equal(
    endless.take(tokenQuery(signed, local)).target,
    '/a?expires=1',
    'which is then no part of the token',
  )
})

t.test('the end cannot borrow digits from the path', async (t) => {
  const settings = { keys: ['k'], expression: '$key$uri$secure_link_expires' }
  const [, md5 = ''] = /md5=(.*)$/.exec(signSecureLink(settings, '/part1', here)) ?? []
  const expires = String(local.nowMs / 1000 + 1800)
  const borrowing = createSecureLink(settings)
  t.equal(tokenVerdict(borrowing, `/part1?md5=${md5}&expires=${expires}`, local), 'admitted')
  t.equal(tokenVerdict(borrowing, `/part?md5=${md5}&expires=1${expires}`, local), 'token_malformed')
})

t.test('any live key verifies, the first signs', async (t) => {
  const signed = signSecureLink({ keys: ['new', 'secret'] }, '/a', here)
  t.equal(tokenVerdict(createSecureLink({ keys: ['old', 'new'] }), signed, local), 'admitted')
  t.equal(tokenVerdict(createSecureLink({ keys: ['secret'] }), signed, local), 'token_wrong')
})

t.test('an expression that cannot work is refused at once, without repeating it', async (t) => {
  for (const expression of [
    '$uri',
    '$uri secret',
    '$key$nonsense',
    '$key$',
    '$key${uri',
    '$key$args',
    '$key$arg_',
  ]) {
    t.throws(() => createSecureLink({ keys: ['k'], expression }), { code: 'config_invalid' }, expression)
  }
  t.throws(
    () => createSecureLink({ keys: ['k'], expression: '$uri$key pass$word1' }),
    { message: /^(?!.*word1).*character 14/ },
    'what follows a $ may be a secret',
  )
})
