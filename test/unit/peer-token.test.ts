// What one edge shows another: good for one request to one edge, for about a minute by clocks that differ, and nothing
// that is changed, cut or put together of two is taken.
import fc from 'fast-check'
import t from 'tap'
import type { PeerSecret } from '../../src/wire/guidance.ts'
import { judgePeerToken, makePeerToken } from '../../src/wire/peer-token.ts'
import type { PeerClaims, PeerRequest } from '../../src/wire/peer-token.ts'

const NOW = 1_800_000_000_000
const HOUR = 3_600_000
const secretOf = (id: string, fromMs: number, fill: number): PeerSecret => ({
  id,
  key: Buffer.alloc(32, fill).toString('base64url'),
  fromMs,
  untilMs: fromMs + HOUR,
})
const BEFORE = secretOf('before', NOW - HOUR - 1000, 1)
const CURRENT = secretOf('current', NOW - 1000, 2)
const NEXT = secretOf('next', NOW + HOUR - 1000, 3)
const SECRETS = [BEFORE, CURRENT, NEXT]
const CLAIMS: PeerClaims = { from: 'gz-1', tier: 'peers', event: '1700000000000-3' }
const REQUEST: PeerRequest = { to: 'gz-2', method: 'GET', target: '/~shows/live/1.ts?a=1' }

const made = (nowMs = NOW, claims = CLAIMS) => makePeerToken(SECRETS, claims, REQUEST, nowMs) ?? ''
const judged = (field: string, change: Partial<PeerRequest> = {}, nowMs = NOW, secrets = SECRETS) => {
  const judgement = judgePeerToken(secrets, field, { ...REQUEST, ...change }, nowMs)
  return judgement.refusal ?? judgement.claims
}

t.test('what was made for a request is taken with it, and says who asks and as what', async (t) => {
  t.same(judged(made()), CLAIMS)
  const fresh = { ...CLAIMS, tier: 'shield', event: '' } as const
  t.same(judged(made(NOW, fresh)), fresh)
  t.match(made(), /^1;current;gz-1;peers;\d{10};1700000000000-3;[\w-]{43}$/)
  t.equal(makePeerToken(SECRETS, CLAIMS, REQUEST, NOW + 3 * HOUR), null, 'no secret is good then')
})

t.test('with another request, at another edge or with another key it is not', async (t) => {
  t.equal(judged(made(), { to: 'gz-3' }), 'bad-mac')
  t.equal(judged(made(), { method: 'HEAD' }), 'bad-mac')
  t.equal(judged(made(), { target: '/~shows/live/2.ts?a=1' }), 'bad-mac')
  t.equal(judged(made(), { target: '/~Shows/live/1.ts?a=1' }), 'bad-mac')
  t.equal(judged(made(), {}, NOW, [{ ...CURRENT, key: BEFORE.key }]), 'bad-mac')
  t.equal(judged(made(), {}, NOW, [NEXT]), 'unknown-secret')
  t.equal(judged(made(), {}, NOW, []), 'unknown-secret')
})

t.test('it is good for a minute, by clocks that are two apart', async (t) => {
  t.same(judged(made(), {}, NOW + 179_000), CLAIMS)
  t.equal(judged(made(), {}, NOW + 181_000), 'expired')
  t.same(judged(made(), {}, NOW - 119_000), CLAIMS)
  t.equal(judged(made(), {}, NOW - 121_000), 'from-the-future')
  // In the last second of its secret, judged by a clock behind which that has ended.
  const late = made(NOW + HOUR - 2000)
  t.match(late, /^1;current;/)
  t.same(judged(late, {}, NOW + HOUR + 100_000), CLAIMS)
  t.equal(judged(late, {}, NOW + HOUR + 119_000), 'secret-expired')
  // Its maker's clock is so far ahead that it uses the next secret already.
  const early = made(NOW + HOUR)
  t.match(early, /^1;next;/)
  t.same(judged(early, {}, NOW + HOUR - 100_000), CLAIMS)
})

t.test('anything else is no token', async (t) => {
  const token = made()
  const bad = [
    '',
    ';',
    ';;;;;;',
    `${token};`,
    `${token}, ${token}`,

    `0${token}`,
    `2${token.slice(1)}`,
  ]
  const parts = token.split(';')
  const changed = (at: number, text: string) => parts.map((part, i) => (i === at ? text : part)).join(';')
  bad.push(changed(3, 'origins'), changed(3, 'PEERS'), changed(2, ''), changed(2, 'gz 1'), changed(2, 'GZ-1'))
  bad.push(
    changed(4, '-1'),
    changed(4, '1e10'),
    changed(4, '9'.repeat(13)),
    changed(5, 'last'),
    changed(5, '1-'),
  )
  bad.push(changed(6, 'x'.repeat(500)))
  for (const field of bad) t.equal(judged(field), 'malformed', field.slice(0, 80))
  t.equal(judged(changed(6, '')), 'bad-mac')
  t.equal(judged(changed(3, 'shield')), 'bad-mac', 'who asks as a peer does not become one who asks a shield')
  t.equal(judged(changed(5, '')), 'bad-mac', 'nor one that has heard of no purge')
  t.equal(judged(token.toUpperCase()), 'malformed')
  t.equal(judged(changed(1, 'before')), 'bad-mac')
})

t.test('no change of a single character is taken', async (t) => {
  const token = made()
  const place = fc.integer({ min: 0, max: token.length - 1 })
  const character = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code))
  const held = fc.property(place, character, (at, to) => {
    const changed = token.slice(0, at) + to + token.slice(at + 1)
    return changed === token || typeof judged(changed) === 'string'
  })
  t.doesNotThrow(() => fc.assert(held, { numRuns: 2000 }))
})
