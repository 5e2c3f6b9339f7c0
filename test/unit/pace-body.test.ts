// Pace without a network: what leaves at once leaves in one write and without a wait, and what a client has used up
// of its burst comes back at the rate.
import t from 'tap'
import { compileLimits } from '../../edge/limits/compile-limits.ts'
import { Limiter } from '../../edge/limits/limiter.ts'
import type { Limited } from '../../edge/limits/limiter.ts'
import { isOver } from '../../edge/limits/limiter.ts'
import type { LimitSettings } from '../../src/config/limits-schema.ts'
import type { HttpReply } from '../../src/http/transaction.ts'
import { parseIp } from '../../src/net/ip.ts'
import { plainRequest } from '../kit/plain-request.ts'

const KIB = 1024

/** A megabyte a second is a kilobyte a millisecond. */
const RATE = 8_000_000

class HeldClock {
  ms = 1000
  now(): number {
    return this.ms
  }
  monotonic(): number {
    return this.ms
  }
}

function limiterOf(clock: HeldClock): Limiter {
  return new Limiter(clock, { began() {}, ended() {} })
}

function admit(limiter: Limiter, settings: Partial<LimitSettings>, address = '192.0.2.1'): Limited {
  const limits = compileLimits({ client: {}, over: 'refuse', ...settings }, false)
  if (limits === null) throw new Error('nothing is limited')
  const request = plainRequest()
  const query = { propertyId: 'all', limits, address: parseIp(address), path: '/a.ts', request }
  const outcome = limiter.admit({ ...query, grant: { kind: 'none' } })
  if (isOver(outcome)) throw new Error(outcome.refusal)
  return outcome
}

t.test('no limits: nothing is compiled, nothing is asked', async (t) => {
  t.equal(compileLimits({ client: {}, over: 'steer' }, false), null)
  t.not(compileLimits({ client: {}, over: 'refuse' }, true), null, 'somebody follows the sessions')
})

t.test('the burst is the client’s: every reply draws on it, and it comes back at the rate', async (t) => {
  const clock = new HeldClock()
  const limiter = limiterOf(clock)
  const settings = { response: { rate: RATE, burst: 64_000 } }
  const first = admit(limiter, settings)
  t.ok(limiter.sendsWhole(first, 40_000))
  limiter.leave(first, 40_000, '/a.ts')
  const second = admit(limiter, settings)
  t.notOk(limiter.sendsWhole(second, 40_000))
  t.ok(limiter.sendsWhole(second, 24_000), 'what is left')
  t.ok(limiter.sendsWhole(admit(limiter, settings, '192.0.2.2'), 64_000), 'another client has its own')
  clock.ms += 39
  t.notOk(limiter.sendsWhole(second, 40_000))
  clock.ms += 1
  t.ok(limiter.sendsWhole(second, 40_000))
  clock.ms += 1e9
  t.notOk(limiter.sendsWhole(second, 64_001), 'never more than a burst')
  t.equal(limiter.waitingCount, 0, 'and nobody waited')
})

t.test('a body within the burst is one write', async (t) => {
  const limiter = limiterOf(new HeldClock())
  const limited = admit(limiter, { response: { rate: RATE, burst: 512 * KIB } })
  const written: number[] = []
  const writer = limiter.writerOf(limited, replyOf(written))
  t.ok(await writer.write(new Uint8Array(500 * KIB)))
  t.strictSame(written, [500 * KIB])
  t.equal(limiter.waitingCount, 0)
})

t.test('beyond it: equal pieces on one wheel; the reply’s end ends a wait at once', async (t) => {
  const limiter = limiterOf(new HeldClock())
  const settings = { response: { rate: RATE, burst: 1 } }
  const waits = [1, 2, 3].map((i) => {
    const limited = admit(limiter, settings, `192.0.2.${i}`)
    const written: number[] = []
    const done = limiter.writerOf(limited, replyOf(written)).write(new Uint8Array(KIB * KIB))
    return { limited, written, done }
  })
  await Promise.resolve()
  t.equal(limiter.waitingCount, 3)
  for (const { limited, written, done } of waits) {
    limiter.leave(limited, 0, '/a.ts')
    t.equal(await done, false)
    t.strictSame(written, [])
  }
  t.equal(limiter.waitingCount, 0)
  limiter.close()
})

t.test('a playlist counts but does not wait', async (t) => {
  const clock = new HeldClock()
  const limiter = limiterOf(clock)
  const limited = admit(limiter, { response: { rate: RATE, burst: 10_000 } })
  limiter.charge(limited, 50_000)
  t.notOk(limiter.sendsWhole(limited, 1))
  clock.ms += 10
  t.ok(limiter.sendsWhole(limited, 10_000))
})

t.test('new numbers of a new configuration hold for those who are here', async (t) => {
  const clock = new HeldClock()
  const limiter = limiterOf(clock)
  const limited = admit(limiter, { bandwidth: RATE, client: { connections: 1 } })
  t.ok(limiter.sendsWhole(limited, 100_000), 'a tenth of a second of it')
  t.notOk(limiter.sendsWhole(limited, 1))
  t.throws(() => admit(limiter, { bandwidth: RATE, client: { connections: 1 } }), {
    message: 'client_connections',
  })
  const more = admit(limiter, { bandwidth: 10 * RATE, client: { connections: 2 } })
  clock.ms += 10
  t.ok(limiter.sendsWhole(more, 100_000))
})

function replyOf(written: number[]): HttpReply {
  return {
    closed: false,
    bodyBytes: 0,
    status: 200,
    onFinish: null,
    interim() {},
    send() {},
    start() {},
    async write(chunk) {
      written.push(chunk.length)
      return true
    },
    end() {},
    abort() {},
  }
}
