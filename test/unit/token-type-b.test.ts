// Type B: vendors' examples, the token in the path, times of a calendar in the vendor's zone.
import t from 'tap'
import { createTypeB, signTypeB } from '../../src/token/type-b.ts'
import { eachCharacterChanged, tokenQuery, tokenVerdict } from '../kit/token.ts'

const keys = ['aliyuncdnexp1234']
const path = '/4/44/44c0909bcfc20a01afaf256ca99a8b8b.mp3'
const token = '201508150800/9044548ef1527deadafa49a890a377f0'
const madeMs = Date.UTC(2015, 7, 15, 0, 0)
const now = { nowMs: madeMs + 60_000 }
const scheme = createTypeB({ keys })

t.test('what vendors publish is admitted, and signed alike', async (t) => {
  // Alibaba Cloud CDN, Type B signing.
  t.equal(tokenVerdict(scheme, `/${token}${path}`, now), 'admitted')
  t.equal(signTypeB({ keys }, path, { nowMs: madeMs + 59_999 }), `/${token}${path}`)
  // Tencent Cloud EdgeOne, Authentication Method B: made on July 15, 2024, 15:33:50 (UTC+8).
  const edgeOne = { keys: ['DvYmqE81E1F9R791H6lmht'] }
  const example = '/202407151533/d1f0b51c6894231fc12e054fcc7f0b3e/foo.jpg'
  const exampleMs = Date.UTC(2024, 6, 15, 7, 33, 50)
  t.equal(tokenVerdict(createTypeB(edgeOne), example, { nowMs: exampleMs }), 'admitted')
  t.equal(signTypeB(edgeOne, '/foo.jpg', { nowMs: exampleMs }), example)
  // DvYmqE81E1F9R791H6lmht202407151533/foo.jpg through sha256sum(1).
  const sha256 = { ...edgeOne, hash: 'sha256' } as const
  const longer = '/202407151533/16be95786f3bad1f8ef329289fdbe3bc0db1d25d61ad3147b5305afe2f9f2c99/foo.jpg'
  t.equal(tokenVerdict(createTypeB(sha256), longer, { nowMs: exampleMs }), 'admitted')
  t.equal(tokenVerdict(scheme, longer, now), 'token_missing', 'where md5 is expected, this is a path')
})

t.test('the token is taken off the path; a path without one stays', async (t) => {
  t.strictSame(scheme.take(tokenQuery(`/${token}${path}?a=1&&b`, now)), { target: `${path}?a=1&&b`, token })
  const hash = '9044548ef1527deadafa49a890a377f0'
  const others = ['/', '/a.ts', `/${token}`, `/x/${token}/a`, `/20150815080/${hash}/a`, `/a?/${token}/a`]
  for (const target of others) {
    t.strictSame(scheme.take(tokenQuery(target, now)), { target, token: null }, target)
    t.equal(tokenVerdict(scheme, target, now), 'token_missing', target)
  }
})

t.test('not one character may differ', async (t) => {
  const target = `/${token}${path}`
  for (const changed of eachCharacterChanged(target)) {
    t.not(tokenVerdict(scheme, changed, now), 'admitted', changed)
  }
  t.equal(tokenVerdict(scheme, target.replace('9044548e', '9044548E'), now), 'token_malformed', 'capitals')
  t.equal(tokenVerdict(scheme, target.replace('9044548e', '9044548f'), now), 'token_wrong')
})

t.test('a time that no calendar has is malformed', async (t) => {
  const hash = '0'.repeat(32)
  for (const time of [
    '201513150800',
    '201502300800',
    '201508152400',
    '201508150860',
    '196912312359',
    '000000000000',
  ]) {
    t.equal(tokenVerdict(scheme, `/${time}/${hash}/a`, now), 'token_malformed', time)
  }
  t.equal(tokenVerdict(scheme, `/201602290000/${hash}/a`, now), 'token_wrong', 'a leap day')
})

t.test('the zone decides when it ends', async (t) => {
  const endMs = madeMs + 1_800_000
  t.equal(tokenVerdict(scheme, `/${token}${path}`, { nowMs: endMs - 1 }), 'admitted')
  t.equal(tokenVerdict(scheme, `/${token}${path}`, { nowMs: endMs }), 'token_expired')
  t.equal(tokenVerdict(scheme, `/${token}${path}`, { nowMs: endMs + 999 }, 1000), 'admitted')
  for (const [zoneOffset, hours] of [
    ['+00:00', 8],
    ['-05:30', 13.5],
    ['+14:00', -6],
  ] as const) {
    const elsewhere = createTypeB({ keys, zoneOffset })
    const laterMs = endMs + hours * 3_600_000
    t.equal(tokenVerdict(elsewhere, `/${token}${path}`, { nowMs: laterMs - 1 }), 'admitted', zoneOffset)
    t.equal(tokenVerdict(elsewhere, `/${token}${path}`, { nowMs: laterMs }), 'token_expired', zoneOffset)
    t.equal(
      signTypeB({ keys, zoneOffset }, path, { nowMs: 0, expiresMs: laterMs }),
      `/${token}${path}`,
      zoneOffset,
    )
  }
  t.throws(() => createTypeB({ keys, zoneOffset: 'Asia/Shanghai' }), { code: 'config_invalid' })
  t.throws(() => signTypeB({ keys }, path, { nowMs: 8.64e15 }), RangeError)
  t.throws(() => signTypeB({ keys }, path, { nowMs: Date.UTC(10_000, 1, 1) }), RangeError)
})

t.test('any live key verifies, the first signs', async (t) => {
  const signed = signTypeB({ keys: ['new', ...keys] }, path, now)
  t.equal(tokenVerdict(createTypeB({ keys: ['new'] }), signed, now), 'admitted')
  t.equal(tokenVerdict(createTypeB({ keys: ['new', ...keys] }), `/${token}${path}`, now), 'admitted')
  t.equal(tokenVerdict(scheme, signed, now), 'token_wrong')
})
