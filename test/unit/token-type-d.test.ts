// Type D: Tencent's examples, times in decimal and hex, and parameters that others use as well.
import t from 'tap'
import { createTypeD, signTypeD } from '../../src/token/type-d.ts'
import { eachCharacterChanged, tokenQuery, tokenVerdict } from '../kit/token.ts'

const keys = ['dimtm5evg50ijsx2hvuwyfoiu65']
const madeMs = 1_582_791_032_000
const now = { nowMs: madeMs + 60_000 }
const target = '/test.jpg?sign=900a5049aa8ac1ab144527d9c2be4cea&t=1582791032'
const scheme = createTypeD({ keys })

t.test('what vendors publish is admitted, and signed alike', async (t) => {
  // Tencent Cloud CDN, TypeD (document 228/41625).
  t.equal(scheme.name, 'type-d')
  t.equal(tokenVerdict(scheme, target, now), 'admitted')
  t.equal(signTypeD({ keys }, '/test.jpg', { nowMs: madeMs }), target)
  // Tencent Cloud EdgeOne, Authentication Method D.
  const edgeOne = { keys: ['DvYmqE81E1F9R791H6lmht'], hashParameter: 'token' }
  const example = '/foo.jpg?token=cadcec4a04e67b9c2abf4b61c642a0dd&t=1721029907'
  t.equal(tokenVerdict(createTypeD(edgeOne), example, { nowMs: 1_721_029_907_000 }), 'admitted')
  t.equal(signTypeD(edgeOne, '/foo.jpg', { nowMs: 1_721_029_907_000 }), example)
})

t.test('times in hex, and sha256', async (t) => {
  // DvYmqE81E1F9R791H6lmht/foo.jpg6694d513 through md5sum(1) and sha256sum(1).
  const settings = { keys: ['DvYmqE81E1F9R791H6lmht'], timeFormat: 'hex' } as const
  const request = { nowMs: 0x6694d513 * 1000 }
  t.equal(
    tokenVerdict(createTypeD(settings), '/foo.jpg?sign=10a9ca5e024dca096f9651b13614a3f9&t=6694d513', request),
    'admitted',
  )
  t.equal(
    tokenVerdict(
      createTypeD(settings),
      '/foo.jpg?sign=10a9ca5e024dca096f9651b13614a3f9&t=0x6694d513',
      request,
    ),
    'admitted',
  )
  t.equal(
    tokenVerdict(
      createTypeD(settings),
      '/foo.jpg?sign=10a9ca5e024dca096f9651b13614a3f9&t=1721029907',
      request,
    ),
    'token_malformed',
  )
  const sha256 = { ...settings, hash: 'sha256' } as const
  t.equal(
    tokenVerdict(
      createTypeD(sha256),
      '/foo.jpg?sign=d3907e1d908a0c1c6cc9fb726dee3349b51379d7b382ead9e450c18b7d5c476e&t=6694d513',
      request,
    ),
    'admitted',
  )
  t.equal(
    tokenVerdict(
      createTypeD(settings),
      '/foo.jpg?sign=d3907e1d908a0c1c6cc9fb726dee3349b51379d7b382ead9e450c18b7d5c476e&t=6694d513',
      request,
    ),
    'token_wrong',
  )
})

t.test('both parameters are taken off, in any place; a t without sign is somebody else’s', async (t) => {
  const token = '900a5049aa8ac1ab144527d9c2be4cea/1582791032'
  const [, sign = '', time = ''] = target.split(/[?&]/)
  for (const [given, rest] of [
    [`/test.jpg?${time}&${sign}`, '/test.jpg'],
    [`/test.jpg?a=1&${time}&b=2&${sign}&c`, '/test.jpg?a=1&b=2&c'],
  ] as const) {
    t.strictSame(scheme.take(tokenQuery(given, now)), { target: rest, token })
    t.equal(tokenVerdict(scheme, given, now), 'admitted')
  }
  t.strictSame(scheme.take(tokenQuery('/test.jpg?t=30', now)), { target: '/test.jpg?t=30', token: null })
  t.equal(tokenVerdict(scheme, `${target}&t=30`, now), 'token_malformed', 'two times')
  t.equal(tokenVerdict(scheme, `${target}&${sign}`, now), 'token_malformed', 'two hashes')
})

t.test('not one character may differ', async (t) => {
  for (const changed of eachCharacterChanged(target))
    t.not(tokenVerdict(scheme, changed, now), 'admitted', changed)
})

t.test('path and time touch in what is hashed, and still one cannot borrow from the other', async (t) => {
  // key + /live/2 + 1582791032 is also key + /live/ + 21582791032, a time in the year 2653.
  const [, hash = ''] = /sign=([0-9a-f]+)/.exec(signTypeD({ keys }, '/live/2', { nowMs: madeMs })) ?? []
  t.equal(tokenVerdict(scheme, `/live/2?sign=${hash}&t=1582791032`, now), 'admitted')
  t.equal(tokenVerdict(scheme, `/live/?sign=${hash}&t=21582791032`, now), 'token_malformed')
  t.equal(tokenVerdict(scheme, `/live/21?sign=${hash}&t=582791032`, now), 'token_malformed')
})

t.test('ends after its validity; any live key verifies', async (t) => {
  t.equal(tokenVerdict(scheme, target, { nowMs: madeMs + 1_800_000 }), 'token_expired')
  t.equal(tokenVerdict(createTypeD({ keys: ['new', ...keys] }), target, now), 'admitted')
  t.equal(tokenVerdict(createTypeD({ keys: ['new'] }), target, now), 'token_wrong')
})
