// Type A: the examples of four vendors' pages, where the token stands, how long it holds, what it is good for.
import { createHash } from 'node:crypto'
import t from 'tap'
import { createTypeA, signTypeA } from '../../src/token/type-a.ts'
import { eachCharacterChanged, tokenQuery, tokenVerdict } from '../kit/token.ts'

const key = 'aliyuncdnexp1234'
const path = '/video/standard/1K.html'
const token = '1444435200-0-0-80cd3862d699b7118eed99103f2a3a4f'
const madeMs = 1_444_435_200_000
const now = { nowMs: madeMs + 60_000 }
const scheme = createTypeA({ keys: [key] })

const EXAMPLES = [
  {
    source: 'Alibaba Cloud CDN, Type A signing',
    keys: [key],
    parameter: 'auth_key',
    target: `${path}?auth_key=${token}`,
  },
  {
    source: 'Tencent Cloud EdgeOne, Authentication Method A',
    keys: ['DvYmqE81E1F9R791H6lmht'],
    parameter: 'sign',
    target: '/foo.jpg?sign=1721028437-Kv4cPTAAP5YTi-0-0fbdca749d7ab784750685347e42075c',
  },
  {
    source: 'Huawei Cloud CDN, signing method A',
    keys: ['huaweicloud12345'],
    parameter: 'auth_key',
    target:
      '/T128_2_1_0_sdk/0210/M00/82/3E/test.mp3?auth_key=1498752000-0-0-4143ae4a8034c637fd256dfd3542bafc',
  },
  {
    // The text /foo.jpg-1721028437-Kv4cPTAAP5YTi-0-DvYmqE81E1F9R791H6lmht through sha256sum(1).
    source: 'sha256, which Tencent, Huawei and Volcano Engine offer',
    keys: ['DvYmqE81E1F9R791H6lmht'],
    parameter: 'sign',
    hash: 'sha256',
    target:
      '/foo.jpg?sign=1721028437-Kv4cPTAAP5YTi-0-92986cd4a5bb81e1dfb7d3b0895fb6437f90fbfa93500e40cfb2d54e91707bd7',
  },
] as const

t.test('what vendors publish is admitted, and signed alike', async (t) => {
  for (const { source, target, ...settings } of EXAMPLES) {
    const [bare = '', time = '', random = '', uid = ''] = target.split(/\?\w+=|-/)
    const made = Number(time) * 1000
    t.equal(tokenVerdict(createTypeA(settings), target, { nowMs: made }), 'admitted', source)
    t.equal(signTypeA(settings, bare, { nowMs: made, random, uid }), target, source)
  }
})

t.test('taken off wherever it stands, and the rest stays as it was', async (t) => {
  const cases = [
    [`/p?auth_key=${token}`, '/p'],
    [`/p?a=1&auth_key=${token}&b=%20x&&c`, '/p?a=1&b=%20x&&c'],
    [`/p?auth_key=${token}&`, '/p?'],
    [`/p?auth%5Fkey=${token}&b=2`, '/p?b=2'],
  ] as const
  for (const [target, rest] of cases) {
    t.strictSame(scheme.take(tokenQuery(target, now)), { target: rest, token }, target)
  }
  for (const target of ['/p', '/p?', '/p?a=auth_key', '/p?xauth_key=1', '/auth_key=1?b']) {
    t.strictSame(scheme.take(tokenQuery(target, now)), { target, token: null }, target)
    t.equal(tokenVerdict(scheme, target, now), 'token_missing', target)
  }
})

t.test('given twice, it is none: which one would another server take?', async (t) => {
  for (const target of [
    `${path}?auth_key=${token}&auth_key=${token}`,
    `${path}?auth_key=1&auth_key=${token}`,
  ]) {
    t.equal(tokenVerdict(scheme, target, now), 'token_malformed', target)
    t.equal(scheme.take(tokenQuery(target, now)).target, path, 'and both are taken off')
  }
})

t.test('not one character may differ', async (t) => {
  for (const changed of eachCharacterChanged(token)) {
    t.not(tokenVerdict(scheme, `${path}?auth_key=${changed}`, now), 'admitted', changed)
  }
  for (const changed of eachCharacterChanged(path)) {
    t.equal(tokenVerdict(scheme, `${changed}?auth_key=${token}`, now), 'token_wrong', changed)
  }
  t.equal(tokenVerdict(scheme, `${path}?auth_key=${token.toUpperCase()}`, now), 'token_malformed', 'capitals')
})

t.test('what is not of the form is malformed', async (t) => {
  const forms = [
    '',
    '-',
    '---',
    `${token}-0`,
    token.slice(2),
    `0${token}`,
    `-${token}`,
    `1e9-0-0-${'0'.repeat(32)}`,
  ]
  for (const text of [...forms, `99999999999-0-0-${'0'.repeat(32)}`, `0000000000-0-0-${'0'.repeat(32)}`]) {
    t.equal(tokenVerdict(scheme, `${path}?auth_key=${text}`, now), 'token_malformed', text)
  }
  t.equal(tokenVerdict(scheme, `${path}?auth_key=1444435200-0-0-${'0'.repeat(31)}`, now), 'token_wrong')
})

t.test('any live key verifies, the first signs', async (t) => {
  const settings = { keys: ['new-key', key, 'older'] }
  t.equal(tokenVerdict(createTypeA(settings), `${path}?auth_key=${token}`, now), 'admitted')
  const signed = signTypeA(settings, path, now)
  t.equal(tokenVerdict(createTypeA({ keys: ['new-key'] }), signed, now), 'admitted')
  t.equal(tokenVerdict(createTypeA({ keys: [key, 'older'] }), signed, now), 'token_wrong')
})

t.test('holds from its time for the validity, give or take the skew', async (t) => {
  const target = `${path}?auth_key=${token}`
  const endMs = madeMs + 1_800_000
  t.equal(tokenVerdict(scheme, target, { nowMs: endMs - 1 }), 'admitted')
  t.equal(tokenVerdict(scheme, target, { nowMs: endMs }), 'token_expired')
  t.equal(tokenVerdict(scheme, target, { nowMs: endMs + 4999 }, 5000), 'admitted')
  t.equal(tokenVerdict(scheme, target, { nowMs: endMs + 5000 }, 5000), 'token_expired')
  t.equal(tokenVerdict(scheme, target, { nowMs: madeMs - 86_400_000 }), 'admitted', 'a time ahead extends it')
  const short = createTypeA({ keys: [key], validityMs: 1000 })
  t.equal(tokenVerdict(short, target, { nowMs: madeMs + 1000 }), 'token_expired')
  const signed = signTypeA({ keys: [key] }, path, { nowMs: 0, expiresMs: endMs })
  t.equal(signed, target, 'an end asked for is met')
})

t.test('is good for its path alone, in that spelling, with any other parameters', async (t) => {
  t.equal(tokenVerdict(scheme, `${path}?start=5&auth_key=${token}`, now), 'admitted')
  t.equal(tokenVerdict(scheme, `/video/standard/%31K.html?auth_key=${token}`, now), 'token_wrong')
  t.equal(tokenVerdict(scheme, `/video/x/../standard/1K.html?auth_key=${token}`, now), 'token_wrong')
  const taken = scheme.take(tokenQuery(`${path}?auth_key=${token}`, now))
  const claims = scheme.authenticate(token, taken, tokenQuery(path, now))
  if (typeof claims === 'string' || claims instanceof Promise) throw new Error('not authentic')
  t.ok(claims.covers(`${path}?start=5`, tokenQuery(path, now)))
  t.notOk(claims.covers('/video/standard/2K.html', tokenQuery(path, now)))
  t.not(
    scheme.nameOf(token, taken, tokenQuery(path, now)),
    scheme.nameOf(token, { ...taken, target: '/other' }, tokenQuery(path, now)),
    'remembered for this path only',
  )
})

t.test('an encoded path is signed as it is sent', async (t) => {
  const signed = signTypeA({ keys: [key] }, '/电影/a b.ts?x=1', now)
  t.match(signed, /^\/%E7%94%B5%E5%BD%B1\/a%20b\.ts\?x=1&auth_key=/)
  t.equal(tokenVerdict(scheme, signed, now), 'admitted')
  const lowerCase = signTypeA({ keys: [key] }, '/%e7%94%b5.ts', now)
  t.equal(tokenVerdict(scheme, lowerCase, now), 'admitted')
})

t.test('bytes that a client sends unencoded are hashed as bytes, a key as UTF-8', async (t) => {
  const hash = createHash('md5').update('/电影.ts-1444435200-0-0-密钥').digest('hex')
  const sent = Buffer.from('/电影.ts').toString('latin1')
  const target = `${sent}?auth_key=1444435200-0-0-${hash}`
  t.equal(tokenVerdict(createTypeA({ keys: ['密钥'] }), target, now), 'admitted')
})

t.test('the URL for one path cannot be cut into one for another', async (t) => {
  const settings = { keys: [key] }
  const [, hash = ''] =
    /([0-9a-f]{32})$/.exec(signTypeA(settings, '/a-1444435200', { ...now, random: 'r' })) ?? []
  t.equal(tokenVerdict(scheme, `/a?auth_key=1444435200-1444435260-r-0-${hash}`, now), 'token_malformed')
  t.throws(() => signTypeA(settings, '/a', { ...now, random: 'r-1' }), RangeError)
})

t.test('signing again replaces the token; for one address it cannot be', async (t) => {
  t.throws(() => signTypeA({ keys: [key] }, '/a', { ...now, address: '192.0.2.7' }), RangeError)
  const once = signTypeA({ keys: [key] }, '/a?b=1', now)
  t.equal(signTypeA({ keys: [key] }, once, now), once)
})

t.test('settings that cannot work are refused at once, without showing a key', async (t) => {
  t.throws(() => createTypeA({ keys: [] }), { code: 'config_invalid' })
  t.throws(() => createTypeA({ keys: ['secret', ''] }), { code: 'config_invalid', message: /^(?!.*secret)/ })
  t.throws(() => createTypeA({ keys: [key], validityMs: Number.NaN }), { code: 'config_invalid' })
  t.throws(() => createTypeA({ keys: [key], validityMs: -1 }), { code: 'config_invalid' })
})
