// Type C: vendors’ examples in path and query, both orders and both ways to write the time.
import t from 'tap'
import { createTypeC, signTypeC } from '../../src/token/type-c.ts'
import type { TypeCSettings } from '../../src/token/type-c.ts'
import { eachCharacterChanged, tokenQuery, tokenVerdict } from '../kit/token.ts'

const keys = ['aliyuncdnexp1234']
const hash = 'a37fa50a5fb8f71214b1e7c95ec7a1bd'
const madeMs = 0x55ce8100 * 1000
const now = { nowMs: madeMs + 60_000 }
const scheme = createTypeC({ keys })
const inQuery = createTypeC({ keys, place: 'query' })

const EXAMPLES: readonly { source: string; settings: TypeCSettings; target: string; madeMs: number }[] = [
  {
    source: 'Tencent Cloud EdgeOne, Authentication Method C',
    settings: { keys: ['DvYmqE81E1F9R791H6lmht'] },
    target: '/6688749e8906a726c12fe1be3aacd016/6694d30a/foo.jpg',
    madeMs: 0x6694d30a * 1000,
  },
  {
    source: 'Tencent Cloud CDN, TypeC: the time first and, in the example, in decimal',
    settings: { keys: ['dimtm5evg50ijsx2hvuwyfoiu65'], order: 'time-path', timeFormat: 'decimal' },
    target: '/ea68b93ac23ebbc6eebf7f163c6e9c4c/1582791032/test.jpg',
    madeMs: 1_582_791_032_000,
  },
  {
    // DvYmqE81E1F9R791H6lmht/foo.jpg6694d30a through sha256sum(1).
    source: 'sha256',
    settings: { keys: ['DvYmqE81E1F9R791H6lmht'], hash: 'sha256' },
    target: '/577a1fe7d26776b26414addfe97c64109cccf5ff741074299d8f15f726837710/6694d30a/foo.jpg',
    madeMs: 0x6694d30a * 1000,
  },
]

t.test('what vendors publish is admitted, and signed alike', async (t) => {
  // Alibaba Cloud CDN, Type C signing, formats 1 and 2. Its hex digits are capitals; others' are not.
  t.equal(tokenVerdict(scheme, `/${hash}/55CE8100/test.flv`, now), 'admitted')
  t.equal(tokenVerdict(inQuery, `/test.flv?KEY1=${hash}&KEY2=55CE8100`, now), 'admitted')
  for (const { source, settings, target, madeMs } of EXAMPLES) {
    t.equal(tokenVerdict(createTypeC(settings), target, { nowMs: madeMs }), 'admitted', source)
    const bare = target.slice(target.lastIndexOf('/'))
    t.equal(signTypeC(settings, bare, { nowMs: madeMs }), target, source)
  }
})

t.test('the 0x of a time is not hashed', async (t) => {
  const edgeOne = createTypeC({ keys: ['DvYmqE81E1F9R791H6lmht'] })
  const target = '/6688749e8906a726c12fe1be3aacd016/0x6694d30a/foo.jpg'
  t.equal(tokenVerdict(edgeOne, target, { nowMs: 0x6694d30a * 1000 }), 'admitted')
})

t.test('the token is taken off path or query; what holds none stays', async (t) => {
  t.strictSame(scheme.take(tokenQuery(`/${hash}/55CE8100/a/b.ts?x=1`, now)), {
    target: '/a/b.ts?x=1',
    token: `${hash}/55CE8100`,
  })
  for (const target of ['/', '/a', `/${hash}/a.ts`, `/${hash}/55CE8100`, `/${hash}/55CE81000/a`]) {
    t.strictSame(scheme.take(tokenQuery(target, now)), { target, token: null }, target)
    t.equal(tokenVerdict(scheme, target, now), 'token_missing', target)
  }
  t.strictSame(inQuery.take(tokenQuery(`/a?KEY2=55CE8100&x=1&KEY1=${hash}&y`, now)), {
    target: '/a?x=1&y',
    token: `${hash}/55CE8100`,
  })
  t.equal(tokenVerdict(inQuery, '/test.flv?KEY2=55CE8100', now), 'token_missing', 'a time alone')
  t.equal(tokenVerdict(inQuery, `/test.flv?KEY1=${hash}`, now), 'token_malformed', 'a hash alone')
  t.equal(tokenVerdict(inQuery, `/test.flv?KEY1=${hash}&KEY2=55CE8100&KEY2=55CE8100`, now), 'token_malformed')
})

t.test('not one character may differ', async (t) => {
  for (const changed of eachCharacterChanged(`/${hash}/55CE8100/test.flv`)) {
    t.not(tokenVerdict(scheme, changed, now), 'admitted', changed)
  }
  for (const changed of eachCharacterChanged(`/test.flv?KEY1=${hash}&KEY2=55CE8100`)) {
    t.not(tokenVerdict(inQuery, changed, now), 'admitted', changed)
  }
  t.equal(
    tokenVerdict(scheme, `/${hash}/55ce8100/test.flv`, now),
    'token_wrong',
    'the time is hashed as it stands',
  )
})

t.test('path and time touch in what is hashed, and still one cannot borrow from the other', async (t) => {
  // key + /part1 + 55ce8100 is also key + /part + 155ce8100, a time in the year 2156.
  const [, borrowed = ''] = signTypeC({ keys }, '/part1', { nowMs: madeMs }).split('/')
  t.equal(tokenVerdict(inQuery, `/part?KEY1=${borrowed}&KEY2=155ce8100`, now), 'token_malformed')
  t.equal(tokenVerdict(inQuery, `/part15?KEY1=${borrowed}&KEY2=5ce8100`, now), 'token_malformed')
  t.equal(tokenVerdict(scheme, `/${borrowed}/155ce8100/part`, now), 'token_missing')
  t.equal(tokenVerdict(inQuery, `/part1?KEY1=${borrowed}&KEY2=55ce8100`, now), 'admitted')
})

t.test('holds from its time for the validity', async (t) => {
  const target = `/${hash}/55CE8100/test.flv`
  t.equal(tokenVerdict(scheme, target, { nowMs: madeMs + 1_799_999 }), 'admitted')
  t.equal(tokenVerdict(scheme, target, { nowMs: madeMs + 1_800_000 }), 'token_expired')
  t.equal(tokenVerdict(scheme, target, { nowMs: madeMs + 1_800_999 }, 1000), 'admitted')
  const long = createTypeC({ keys, validityMs: 86_400_000 })
  t.equal(tokenVerdict(long, target, { nowMs: madeMs + 86_399_999 }), 'admitted')
})

t.test('any live key verifies, the first signs', async (t) => {
  const signed = signTypeC({ keys: ['new', ...keys], place: 'query' }, '/a?x', now)
  t.equal(tokenVerdict(createTypeC({ keys: ['old', 'new'], place: 'query' }), signed, now), 'admitted')
  t.equal(tokenVerdict(inQuery, signed, now), 'token_wrong')
  t.equal(signTypeC({ keys: ['new'], place: 'query' }, signed, now), signed, 'signing again replaces it')
})
