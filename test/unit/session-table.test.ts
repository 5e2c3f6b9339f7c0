// Sessions with the clock held: counted in and out, whatever ends them, and bounded.
import t from 'tap'
import { compileLimits } from '../../edge/limits/compile-limits.ts'
import { Limiter, isOver } from '../../edge/limits/limiter.ts'
import type { Limited, Over } from '../../edge/limits/limiter.ts'
import type { Session } from '../../edge/limits/sessions.ts'
import { SESSIONS_FOLLOWED_MAX } from '../../edge/limits.ts'
import type { LimitSettings } from '../../src/config/limits-schema.ts'
import { parseIp } from '../../src/net/ip.ts'
import { plainRequest } from '../kit/plain-request.ts'

interface Rig {
  limiter: Limiter
  told: string[]
  ask: (session: string, path?: string) => Limited | Over
  size: () => number
}

function rigOf(settings: Partial<LimitSettings>): Rig {
  const told: string[] = []
  const tell = (what: string) => (session: Session) => void told.push(`${what} ${session.name.id}`)
  const clock = { now: () => 1e12, monotonic: () => 1000 }
  const limiter = new Limiter(clock, { began: tell('began'), ended: tell('ended') })
  const limits = compileLimits({ client: {}, over: 'refuse', ...settings }, true)
  if (limits === null) throw new Error('sessions are followed')
  const query = { propertyId: 'all', limits, address: parseIp('192.0.2.1'), request: plainRequest() }
  return {
    limiter,
    told,
    ask: (session, path = '/a.ts') => limiter.admit({ ...query, path, grant: { kind: 'named', session } }),
    size: () => limiter.properties.get('all')?.sessions.size ?? 0,
  }
}

function admitted(outcome: Limited | Over): Limited {
  if (isOver(outcome)) throw new Error(outcome.refusal)
  return outcome
}

t.test('told of once it is let in, and never if it is not', async (t) => {
  const { limiter, told, ask } = rigOf({})
  const { sessions } = limiter
  const one = admitted(ask('one'))
  const two = admitted(ask('two'))
  if (one.session === null || two.session === null) throw new Error('no session')
  sessions.announce(one.session)
  sessions.announce(one.session)
  sessions.end(two.session, 'denied')
  sessions.announce(two.session)
  limiter.leave(two, 0, '/a.ts')
  limiter.leave(one, 100, '/b.ts')
  t.match(one.session, { bodyBytes: 100, requests: 1, running: 0, lastPath: '/b.ts' })
  limiter.close()
  t.strictSame(told, ['began one', 'ended one'])
})

t.test('one that has ended and comes back is counted anew', async (t) => {
  const { limiter, ask, size } = rigOf({ client: { sessions: 1 } })
  const one = admitted(ask('one'))
  t.match(ask('two'), { refusal: 'client_sessions' })
  if (one.session !== null) limiter.sessions.end(one.session, 'denied')
  t.equal(size(), 0)
  const two = admitted(ask('two'))
  // A reply of the ended one is over only now: that changes nothing.
  limiter.leave(one, 10, '/a.ts')
  t.match(ask('one'), { refusal: 'client_sessions' })
  limiter.leave(two, 10, '/a.ts')
  t.equal(size(), 1)
  limiter.close()
})

t.test('followed but not limited: beyond the bound a session plays unseen', async (t) => {
  const { limiter, ask, size } = rigOf({})
  for (let i = 0; i < SESSIONS_FOLLOWED_MAX; i++) limiter.leave(admitted(ask(String(i))), 1, '/a.ts')
  t.equal(size(), SESSIONS_FOLLOWED_MAX)
  t.equal(admitted(ask('one more')).session, null)
  t.not(admitted(ask('7')).session, null, 'who is followed stays so')
  t.equal(limiter.properties.get('all')?.unfollowed, 1)
  limiter.close()
})
