// Response rate limiting over random queries: never more than burst and rate allow, never less than each network's
// own bucket gives while there is room, and in a table far too small no more than its buckets hold.
import fc from 'fast-check'
import t from 'tap'
import { RateLimit } from '../../scheduler/dns/rate-limit.ts'
import type { AnswerKind, RateDecision } from '../../scheduler/dns/rate-limit.ts'
import { buildCidrTree } from '../../src/net/cidr-tree.ts'
import type { IpAddress } from '../../src/net/ip.ts'

interface Query {
  /** Since the query before. */
  readonly afterMs: number
  readonly network: number
  /** The last octet: of one network all count together. */
  readonly host: number
  readonly kind: AnswerKind
}

const NAME = '\x07example\x03com\x00'
const exempt = buildCidrTree<true>([])
const seed = fc.uint8Array({ minLength: 16, maxLength: 16 })
const settings = fc.record({
  rate: fc.integer({ min: 1, max: 50 }),
  burst: fc.integer({ min: 1, max: 20 }),
  slip: fc.integer({ min: 0, max: 10 }),
  exempt: fc.constant(exempt),
})
/** Mostly at once or soon, as in a flood, with a pause now and then. */
const afterMs = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 5, arbitrary: fc.nat(60) },
  { weight: 1, arbitrary: fc.nat(3000) },
)

function queries(networks: number, kinds: readonly AnswerKind[]): fc.Arbitrary<Query[]> {
  const query = fc.record({
    afterMs,
    network: fc.nat(networks - 1),
    host: fc.nat(255),
    kind: fc.constantFrom(...kinds),
  })
  return fc.array(query, { minLength: 1, maxLength: 300, size: 'max' })
}

interface Decided {
  readonly key: string
  readonly atMs: number
  readonly decision: RateDecision
}

function decideAll(limit: RateLimit, asked: readonly Query[]): Decided[] {
  let atMs = 1000
  return asked.map((query) => {
    atMs += query.afterMs
    const decision = limit.decide(clientOf(query), query.kind, NAME, atMs)
    return { key: `${query.network} ${query.kind}`, atMs, decision }
  })
}

/** Odd networks are IPv6. */
function clientOf({ network, host }: Query): IpAddress {
  if (network % 2 === 0) return { family: 4, a: 0, b: 0, c: 0, d: 0xc000_0200 + network * 256 + host }
  return { family: 6, a: 0x2001_0db8, b: network * 256 + host, c: host, d: host }
}

/** Times of what was sent, by network and kind. */
function sendsByKey(decided: readonly Decided[]): number[][] {
  const sent = decided.filter(({ decision }) => decision === 'send')
  return [...Map.groupBy(sent, ({ key }) => key).values()].map((some) => some.map(({ atMs }) => atMs))
}

/** Whether in no window, from one reply to a later one, there are more than a burst and so many a second. */
function staysWithin(timesMs: readonly number[], burst: number, rate: number): boolean {
  return timesMs.every((from, i) =>
    timesMs.slice(i).every((until, j) => j + 1 <= burst + (rate * (until - from)) / 1000),
  )
}

/** A bucket for each network and kind, without bounds: what the table must do while it has room. */
function decideByModel(asked: readonly Decided[], rate: number, burst: number): boolean[] {
  const buckets = new Map<string, { thousandths: number; atMs: number }>()
  return asked.map(({ key, atMs }) => {
    const bucket = buckets.get(key) ?? { thousandths: burst * 1000, atMs }
    buckets.set(key, bucket)
    bucket.thousandths = Math.min(burst * 1000, bucket.thousandths + (atMs - bucket.atMs) * rate)
    bucket.atMs = atMs
    if (bucket.thousandths < 1000) return false
    bucket.thousandths -= 1000
    return true
  })
}

t.test('in any window a network is sent no more than its burst and its rate', async (t) => {
  fc.assert(
    fc.property(settings, seed, queries(4, ['answer', 'negative', 'error']), (set, key, asked) => {
      const sends = sendsByKey(decideAll(new RateLimit(set, key, 1024), asked))
      return sends.every((times) => staysWithin(times, set.burst, set.rate))
    }),
    { numRuns: 300 },
  )
  t.pass('no window has more')
})

t.test('while there is room, each network has what its own bucket gives', async (t) => {
  fc.assert(
    // Four buckets are used at most, so that whatever the seed, none has to give way.
    fc.property(settings, seed, queries(2, ['answer', 'error']), (set, key, asked) => {
      const decided = decideAll(new RateLimit(set, key, 64), asked)
      const expected = decideByModel(decided, set.rate, set.burst)
      return decided.every(({ decision }, i) => (decision === 'send') === expected[i])
    }),
    { numRuns: 300 },
  )
  t.pass('as the model says')
})

t.test('networks below the rate are always sent, whatever one above it does', async (t) => {
  fc.assert(
    fc.property(settings, seed, fc.integer({ min: 1, max: 3 }), (set, key, quiet) => {
      const limit = new RateLimit(set, key, 64)
      const everyMs = Math.ceil(1000 / set.rate)
      for (let nowMs = 0; nowMs < everyMs * 20; nowMs++) {
        limit.decide(clientOf({ afterMs: 0, network: 0, host: 1, kind: 'answer' }), 'answer', NAME, nowMs)
        if (nowMs % everyMs !== 0) continue
        for (let network = 1; network <= quiet; network++) {
          const client = clientOf({ afterMs: 0, network, host: nowMs % 256, kind: 'answer' })
          if (limit.decide(client, 'answer', NAME, nowMs) !== 'send') return false
        }
      }
      return true
    }),
    { numRuns: 50 },
  )
  t.pass('all were sent')
})

t.test('in a table of one set, all networks together get what four buckets hold', async (t) => {
  fc.assert(
    fc.property(settings, seed, queries(40, ['answer', 'negative']), (set, key, asked) => {
      const decided = decideAll(new RateLimit(set, key, 4), asked)
      const times = decided.filter(({ decision }) => decision === 'send').map(({ atMs }) => atMs)
      return staysWithin(times, 4 * set.burst, 4 * set.rate)
    }),
    { numRuns: 300 },
  )
  t.pass('no window has more')
})

t.test('the first reply to a network is never dropped, however crowded it is', async (t) => {
  fc.assert(
    fc.property(settings, seed, queries(200, ['answer']), (set, key, asked) => {
      const slipping = { ...set, slip: Math.max(1, set.slip) }
      const decided = decideAll(new RateLimit(slipping, key, 4), asked)
      const firsts = new Map(decided.toReversed().map((one) => [one.key, one.decision]))
      return [...firsts.values()].every((decision) => decision !== 'drop')
    }),
    { numRuns: 300 },
  )
  t.pass('none was dropped')
})
