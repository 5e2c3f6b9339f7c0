// Two edges of which each believes that the other owns everything: for a moment that is so whenever guidance changes. Each
// asks the other for what it is being asked for; nobody waits in a circle, and nobody gets other bytes.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { bytesOf } from '../kit/bytes.ts'
import { guidanceOf, guided, joinedTo, secretNow, startControl } from '../kit/control-server.ts'
import { ask } from '../kit/purging.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const KIB = 1024
const SLICE = 64 * KIB
const FILM = bytesOf(1, 20 * SLICE + 999)
const fields = { 'Cache-Control': 'max-age=600', ETag: '"a"' }
const origin = await startOrigin(t, {
  '/chunked': { body: FILM, fields, framing: 'chunked', pauseAt: 'head' },
  '/film': { body: FILM, fields, trickle: { bytes: 32 * KIB, everyMs: 5 } },
  '/private': (_request, nth) => ({ body: `for ${nth}`, fields: { 'Cache-Control': 'no-store' } }),
})
const control = await startControl(t, {
  origins: [{ id: 'studio', url: origin.url }],
  properties: [{ id: 'shows', hosts: ['shows.example.com'], origins: [{ id: 'studio' }] }],
})
const SECRET = secretNow('now')
const cache = { memory: '64MiB', slice: '64KiB', directories: [{ path: './cache', size: '1GiB' }] }
const one = await joinedTo(t, control, 'one', { cache })
const other = await joinedTo(t, control, 'other', { cache })
control.guidance.set('one', guidanceOf('1', [SECRET], [{ kind: 'peers', edges: ['other'] }], [other]))
control.guidance.set('other', guidanceOf('1', [SECRET], [{ kind: 'peers', edges: ['one'] }], [one]))
await Promise.all([one.start(), other.start()])
await Promise.all([guided(one, '1'), guided(other, '1')])
/** What nobody would wait for: an edge gives up an upstream that is silent after 10 s. */
const LONG_MS = 9000

t.test('a head that both wait for', async (t) => {
  const begun = systemClock.monotonic()
  const small = Array.from({ length: 8 }, (_, n) => `/small/${n}`)
  for (const path of small) origin.on(path, { body: 'small', fields, pauseAt: 'head' })
  const asking = [...small, '/chunked'].map(async (path) => {
    const replies = Promise.all([one, other, one, other].map((edge) => ask(edge, path)))
    await origin.asked(path)
    // Time for the other's own to come too: mostly both ask each other before either asks the origin.
    await delay(200)
    origin.resume(path)
    return { path, replies: await replies }
  })
  for (const { path, replies } of await Promise.all(asking)) {
    const body = path === '/chunked' ? FILM : Buffer.from('small')
    for (const reply of replies) t.ok(reply.status === 200 && reply.body.equals(body), path)
    t.ok(origin.count(path) <= 2, 'each asks by itself once at most')
  }
  t.ok(systemClock.monotonic() - begun < LONG_MS)
})

t.test('a body of many slices that both read, from the start and from elsewhere', async (t) => {
  const begun = systemClock.monotonic()
  const ranges = Array.from({ length: 40 }, (_, i) => ({ start: ((i * 7) % 20) * SLICE + i, bytes: 100_000 }))
  const whole = [one, other].map((edge) => ask(edge, '/film'))
  const parts = ranges.map(async ({ start, bytes }, i) => {
    const end = Math.min(FILM.length, start + bytes)
    const reply = await ask(i % 2 === 0 ? one : other, '/film', {
      headers: { Range: `bytes=${start}-${end - 1}` },
    })
    return reply.status === 206 && reply.body.equals(FILM.subarray(start, end))
  })
  t.ok((await Promise.all(parts)).every(Boolean))
  for (const reply of await Promise.all(whole)) t.ok(reply.complete && reply.body.equals(FILM))
  t.ok(systemClock.monotonic() - begun < LONG_MS)
})

t.test('an answer for one client stays one client’s', async (t) => {
  const replies = await Promise.all(
    Array.from({ length: 12 }, (_, i) => ask(i % 2 === 0 ? one : other, '/private')),
  )
  t.equal(new Set(replies.map(({ text }) => text)).size, 12)
})
