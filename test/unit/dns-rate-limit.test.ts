// Response rate limiting at its bounds: what counts together, what is truncated, and what a crowd can do.
import t from 'tap'
import { RateLimit } from '../../scheduler/dns/rate-limit.ts'
import type { AnswerKind, RateDecision, RateLimitSettings } from '../../scheduler/dns/rate-limit.ts'
import { buildCidrTree } from '../../src/net/cidr-tree.ts'
import { parseIp, parseNetwork } from '../../src/net/ip.ts'
import type { IpAddress, IpNetwork } from '../../src/net/ip.ts'

const SEED = Uint8Array.from({ length: 16 }, (_, i) => i * 7)
const CLIENT = ip('192.0.2.1')
const NAME = '\x03www\x07example\x03com\x00'
const ZONE = '\x07example\x03com\x00'
const ONE_SET = 4

t.test('a burst, then the rate, to the reply', async (t) => {
  const limit = limitOf({ rate: 7, burst: 3, slip: 0 })
  let sent = 0
  // Asked at every millisecond of a minute: nothing is lost to rounding.
  for (let nowMs = 5000; nowMs <= 65_000; nowMs++) {
    if (limit.decide(CLIENT, 'answer', NAME, nowMs + 0.7) === 'send') sent++
  }
  t.equal(sent, 3 + 7 * 60)
})

t.test('a fraction of a reply a second adds up too', async (t) => {
  const limit = limitOf({ rate: 0.5, burst: 1, slip: 0 })
  const sentAtMs = []
  for (let nowMs = 1000; nowMs <= 6000; nowMs++) {
    if (limit.decide(CLIENT, 'answer', NAME, nowMs) === 'send') sentAtMs.push(nowMs)
  }
  t.strictSame(sentAtMs, [1000, 3000, 5000])
})

t.test('a pause fills the bucket to its burst and no further', async (t) => {
  const limit = limitOf({ rate: 10, burst: 5, slip: 0 })
  for (const nowMs of [0, 1e9]) t.equal(sendsOf(limit, 20, nowMs), 5)
})

t.test('every slip-th reply over the rate is truncated', async (t) => {
  t.strictSame(decisionsOver(0), ['drop', 'drop', 'drop', 'drop', 'drop', 'drop'])
  t.strictSame(decisionsOver(1), ['slip', 'slip', 'slip', 'slip', 'slip', 'slip'])
  t.strictSame(decisionsOver(2), ['drop', 'slip', 'drop', 'slip', 'drop', 'slip'])
  t.strictSame(decisionsOver(3), ['drop', 'drop', 'slip', 'drop', 'drop', 'slip'])
})

t.test('clients of one network count together, and no others', async (t) => {
  const together = (first: string, second: string): boolean => {
    const limit = limitOf({ rate: 1, burst: 1, slip: 0 })
    t.equal(limit.decide(ip(first), 'error', '', 0), 'send')
    return limit.decide(ip(second), 'error', '', 0) === 'drop'
  }
  t.ok(together('192.0.2.0', '192.0.2.255'))
  t.notOk(together('192.0.2.0', '192.0.3.0'))
  t.notOk(together('192.0.2.0', '193.0.2.0'))
  t.ok(together('2001:db8:1:2::', '2001:db8:1:ff:ffff:ffff:ffff:ffff'))
  t.notOk(together('2001:db8:1:2::', '2001:db8:1:102::'))
  t.notOk(together('2001:db8:1:2::', '2001:db9:1:2::'))
  t.notOk(together('1.2.3.0', '102:300::'), 'an IPv4 network and an IPv6 one of the same octets')
})

t.test('answers count by name, negatives by zone, errors together', async (t) => {
  const together = (first: [AnswerKind, string], second: [AnswerKind, string]): boolean => {
    const limit = limitOf({ rate: 1, burst: 1, slip: 0 })
    t.equal(limit.decide(CLIENT, ...first, 0), 'send')
    return limit.decide(CLIENT, ...second, 0) === 'drop'
  }
  t.ok(together(['answer', NAME], ['answer', NAME]))
  t.notOk(together(['answer', NAME], ['answer', ZONE]))
  t.ok(together(['negative', ZONE], ['negative', ZONE]))
  t.notOk(together(['negative', ZONE], ['answer', ZONE]))
  t.ok(together(['error', NAME], ['error', ZONE]))
  t.notOk(together(['error', NAME], ['answer', NAME]))
})

t.test('the longest name counts to its last octet', async (t) => {
  const limit = limitOf({ rate: 1, burst: 1, slip: 0 })
  const label = `\x3f${'a'.repeat(63)}`
  const name = (end: string) => `${label.repeat(3)}\x3d${'a'.repeat(60)}${end}\x00`
  t.equal(name('a').length, 255)
  t.equal(limit.decide(CLIENT, 'answer', name('a'), 0), 'send')
  t.equal(limit.decide(CLIENT, 'answer', name('b'), 0), 'send')
  t.equal(limit.decide(CLIENT, 'answer', name('a'), 0), 'drop')
})

t.test('exempt networks are never limited', async (t) => {
  const limit = limitOf({ rate: 1, burst: 1, slip: 0 }, ['192.0.2.0/28', '2001:db8::/32'])
  t.equal(sendsOf(limit, 100, 0, ip('192.0.2.15')), 100)
  t.equal(sendsOf(limit, 100, 0, ip('2001:db8::1')), 100)
  t.equal(sendsOf(limit, 100, 0, ip('192.0.2.16')), 1)
})

t.test('a network over its rate is not pushed out by a flood of others', async (t) => {
  const limit = limitOf({ rate: 1, burst: 10, slip: 0 }, [], ONE_SET)
  t.equal(sendsOf(limit, 20, 0), 10)
  for (let i = 0; i < 10_000; i++) limit.decide(networkNumber(i), 'answer', NAME, 0)
  t.equal(sendsOf(limit, 20, 0), 0)
})

t.test('networks that come and go bring no tokens', async (t) => {
  const limit = limitOf({ rate: 2, burst: 10, slip: 0 }, [], ONE_SET)
  let sent = 0
  for (let i = 0; i < 10_000; i++) {
    if (limit.decide(networkNumber(i), 'answer', NAME, i) === 'send') sent++
  }
  // Ten seconds, all but the last millisecond: its tokens are still to come.
  t.equal(sent, 4 * (10 + 2 * 10 - 1))
})

t.test('a new network that finds no token is truncated at once, then sent when one has come', async (t) => {
  const limit = limitOf({ rate: 1, burst: 1, slip: 5 }, [], ONE_SET)
  for (let i = 0; i < 4; i++) t.equal(limit.decide(networkNumber(i), 'answer', NAME, 0), 'send')
  for (let i = 4; i < 50; i++) t.equal(limit.decide(networkNumber(i), 'answer', NAME, 999), 'slip')
  t.equal(limit.decide(CLIENT, 'answer', NAME, 1000), 'send')
  const never = limitOf({ rate: 1, burst: 1, slip: 0 }, [], ONE_SET)
  for (let i = 0; i < 4; i++) never.decide(networkNumber(i), 'answer', NAME, 0)
  t.equal(never.decide(CLIENT, 'answer', NAME, 0), 'drop', 'as asked for')
})

t.test('who shares a set depends on the seed', async (t) => {
  t.strictSame(crowdedOut(SEED), crowdedOut(SEED))
  t.notSame(crowdedOut(SEED), crowdedOut(new Uint8Array(16)))
})

t.test('settings that make no sense are a bug of the caller', async (t) => {
  t.throws(() => limitOf({ rate: 0, burst: 1, slip: 0 }))
  t.throws(() => limitOf({ rate: 1, burst: 0, slip: 0 }))
  t.throws(() => limitOf({ rate: 1, burst: 1, slip: 11 }))
  t.throws(() => limitOf({ rate: 1, burst: 1, slip: 1 }, [], 100))
})

function limitOf(
  settings: Omit<RateLimitSettings, 'exempt'>,
  exempt: readonly string[] = [],
  buckets?: number,
): RateLimit {
  const networks = exempt.map((text) => ({ network: network(text), value: true }))
  return new RateLimit({ ...settings, exempt: buildCidrTree(networks) }, SEED, buckets)
}

function sendsOf(limit: RateLimit, times: number, nowMs: number, client: IpAddress = CLIENT): number {
  let sent = 0
  for (let i = 0; i < times; i++) if (limit.decide(client, 'answer', NAME, nowMs) === 'send') sent++
  return sent
}

/** Six replies to a network whose burst is used up. */
function decisionsOver(slip: number): RateDecision[] {
  const limit = limitOf({ rate: 1, burst: 1, slip })
  limit.decide(CLIENT, 'answer', NAME, 0)
  return Array.from({ length: 6 }, () => limit.decide(CLIENT, 'answer', NAME, 0))
}

/** Which of 64 networks find no token in a table of 64 buckets. */
function crowdedOut(seed: Uint8Array): number[] {
  const limit = new RateLimit({ rate: 1, burst: 1, slip: 1, exempt: buildCidrTree([]) }, seed, 64)
  return Array.from({ length: 64 }, (_, i) => i).filter(
    (i) => limit.decide(networkNumber(i), 'answer', NAME, 0) === 'slip',
  )
}

/** Each in a network of its own, none in CLIENT's. */
function networkNumber(i: number): IpAddress {
  return { family: 4, a: 0, b: 0, c: 0, d: 0x0a00_0000 + i * 256 }
}

function ip(text: string): IpAddress {
  const address = parseIp(text)
  if (address === undefined) throw new Error(text)
  return address
}

function network(text: string): IpNetwork {
  const parsed = parseNetwork(text)
  if (parsed === undefined) throw new Error(text)
  return parsed
}
