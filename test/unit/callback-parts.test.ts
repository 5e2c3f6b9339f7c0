// The parts of hooks and events that hold a bound or judge an answer, with the clock held.
import t from 'tap'
import { CallSlots } from '../../edge/callback/call-slots.ts'
import { mayCall, newCircuit, noteAnswer, noteFailure } from '../../edge/circuit.ts'
import { DenialBursts } from '../../edge/callback/denial-bursts.ts'
import type { HookAnswer } from '../../edge/callback/hook-client.ts'
import { holdsMs, verdictOf } from '../../edge/callback/verdict.ts'
import {
  HOOK_CALLS_MAX,
  HOOK_CIRCUIT,
  HOOK_FAILURES_MAX,
  HOOK_REST_MS,
  HOOK_WAITING_MAX,
} from '../../edge/limits.ts'
import { signatureMatches, signatureOf } from '../../src/wire/callback.ts'

function answer(status: number, fields: Record<string, string> = {}): HookAnswer {
  return { status, header: (name) => fields[name] }
}

t.test(
  'a circuit opens after a row of failures, lets one through in a while, closes by one answer',
  async (t) => {
    const circuit = newCircuit(HOOK_CIRCUIT)
    for (let i = 1; i < HOOK_FAILURES_MAX; i++) noteFailure(circuit, 0)
    noteAnswer(circuit)
    for (let i = 0; i < HOOK_FAILURES_MAX; i++) {
      t.ok(mayCall(circuit, 0), 'only failures in a row count')
      noteFailure(circuit, 0)
    }
    t.notOk(mayCall(circuit, HOOK_REST_MS - 1))
    t.ok(mayCall(circuit, HOOK_REST_MS))
    t.notOk(mayCall(circuit, HOOK_REST_MS), 'one at a time')
    noteFailure(circuit, HOOK_REST_MS)
    t.notOk(mayCall(circuit, 2 * HOOK_REST_MS - 1))
    t.ok(mayCall(circuit, 2 * HOOK_REST_MS))
    noteAnswer(circuit)
    t.ok(mayCall(circuit, 2 * HOOK_REST_MS) && mayCall(circuit, 2 * HOOK_REST_MS))
  },
)

t.test('what a status means', async (t) => {
  for (const status of [200, 201, 204, 299])
    t.match(verdictOf(answer(status)), { refusal: null }, `${status}`)
  for (const status of [401, 403, 404, 410, 429, 451])
    t.match(verdictOf(answer(status)), { refusal: 'callback_denied', status })
  for (const status of [100, 300, 301, 302, 304, 307, 400, 402, 405, 408, 409, 500, 503, 599])
    t.equal(verdictOf(answer(status)), undefined, `${status} is no answer`)
})

t.test('of the hook’s fields only clean ones reach the client', async (t) => {
  const challenge = (text: string) => verdictOf(answer(401, { 'www-authenticate': text }))?.fields
  t.strictSame(challenge('Bearer realm="a"'), ['WWW-Authenticate', 'Bearer realm="a"'])
  t.strictSame(challenge('Bearer\r\nX: y'), ['WWW-Authenticate', 'Session'])
  t.strictSame(
    verdictOf(answer(401))?.fields,
    ['WWW-Authenticate', 'Session'],
    'RFC 9110: a 401 has a challenge',
  )
  t.strictSame(verdictOf(answer(429, { 'retry-after': '30' }))?.fields, ['Retry-After', '30'])
  t.strictSame(verdictOf(answer(429, { 'retry-after': 'soon' }))?.fields, [])
  t.strictSame(verdictOf(answer(403, { 'retry-after': '30' }))?.fields, [])
})

function holds(text: string | undefined): number {
  return holdsMs(answer(200, text === undefined ? {} : { 'cache-control': text }), 60_000)
}

t.test('how long an answer holds', async (t) => {
  t.equal(holds(undefined), 60_000)
  t.equal(holds('private'), 60_000)
  t.equal(holds('max-age=5'), 5000)
  t.equal(holds('max-age=0'), 0)
  t.equal(holds('no-store, max-age=5'), 0)
  t.equal(holds('no-cache'), 0)
  t.equal(holds('max-age=99999999'), 86_400_000, 'a day at most')
})

t.test('slots: so many at once, so many that wait, in order, until their signal', async (t) => {
  const slots = new CallSlots()
  const never = new AbortController().signal
  for (let i = 0; i < HOOK_CALLS_MAX; i++) t.ok(await slots.acquire(never))
  const leaving = new AbortController()
  const order: number[] = []
  const leaver = slots.acquire(leaving.signal)
  const waiting = Array.from({ length: HOOK_WAITING_MAX - 1 }, async (_, i) => {
    const go = await slots.acquire(never)
    order.push(i)
    return go
  })
  t.notOk(await slots.acquire(never), 'no room to wait')
  leaving.abort()
  t.notOk(await leaver)
  for (const [i, each] of waiting.entries()) {
    slots.release()
    if (!(await each) || order.at(-1) !== i) t.fail(`turn ${i}`)
  }
  for (let i = 0; i < HOOK_CALLS_MAX; i++) slots.release()
  for (let i = 0; i < HOOK_CALLS_MAX; i++) t.ok(await slots.acquire(never))
  const last = slots.acquire(never)
  slots.release()
  t.ok(await last)
})

t.test('denials are told by kind: the first, then each window’s count, then the first again', async (t) => {
  const clock = { ms: 1000, now: () => 0, monotonic: () => clock.ms }
  const told: string[] = []
  const bursts = new DenialBursts(clock, ({ reason }, count, seconds) =>
    told.push(`${reason} ${count} in ${seconds}`),
  )
  const deny = (reason: string, property = 'all') =>
    bursts.note({ property, reason, status: 403, address: '192.0.2.1' })
  const runTo = (ms: number) => {
    clock.ms = ms
    bursts.runDue()
  }
  deny('token_missing')
  deny('token_missing')
  deny('client_requests')
  deny('token_missing', 'other')
  deny('token_missing')
  t.strictSame(told.splice(0), ['token_missing 1 in 0', 'client_requests 1 in 0', 'token_missing 1 in 0'])
  runTo(11_000)
  t.strictSame(told.splice(0), ['token_missing 2 in 10'])
  deny('client_requests')
  t.strictSame(told.splice(0), ['client_requests 1 in 0'], 'its window was empty')
  runTo(21_250)
  t.strictSame(told.splice(0), [])
  deny('token_missing')
  t.strictSame(told.splice(0), ['token_missing 1 in 0'])
  deny('token_missing')
  bursts.close()
  t.strictSame(told, ['token_missing 1 in 1'], 'nothing counted is lost at the end')
})

t.test('a signature is of the body and the key', async (t) => {
  // RFC 4231 §4.3.
  const known = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
  t.equal(signatureOf('Jefe', 'what do ya want for nothing?'), `sha256=${known}`)
  t.ok(signatureMatches('Jefe', 'what do ya want for nothing?', `sha256=${known}`))
  t.notOk(signatureMatches('Jefe', 'what do ya want for nothing!', `sha256=${known}`))
  t.notOk(signatureMatches('Jeff', 'what do ya want for nothing?', `sha256=${known}`))
  t.notOk(signatureMatches('Jefe', 'what do ya want for nothing?', known))
})
