// A purge and the edges that fill each other: who has heard of it gets nothing older from one that has not. That one waits
// to hear of it for a moment, then says that it is behind, and the origin is asked.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { makePeerToken } from '../../src/wire/peer-token.ts'
import { get } from '../kit/client.ts'
import { guidanceOf, guided, joinedTo, secretNow, startControl } from '../kit/control-server.ts'
import { ask, outcomeOf } from '../kit/purging.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const SECRET = secretNow('now')
const origin = await startOrigin(t, {})
const publish = (version: number) =>
  origin.on('/a', {
    body: `version ${version}`,
    fields: { 'Cache-Control': 'max-age=600', ETag: `"${version}"`, 'Surrogate-Key': 'film' },
  })
publish(1)
const control = await startControl(t, {
  origins: [{ id: 'studio', url: origin.url }],
  properties: [{ id: 'shows', hosts: ['shows.example.com'], origins: [{ id: 'studio' }] }],
})
const child = await joinedTo(t, control, 'child')
const parent = await joinedTo(t, control, 'parent')
control.guidance.set('child', guidanceOf('1', [SECRET], [{ kind: 'parents', edges: ['parent'] }], [parent]))
control.guidance.set('parent', guidanceOf('1', [SECRET]))
await Promise.all([child.start(), parent.start()])
await Promise.all([guided(child, '1'), guided(parent, '1')])

const byTag = { property: 'shows', scope: 'tag', value: 'film', soft: false } as const

/** As another edge that has applied this event. */
function askedWith(event: string) {
  const request = { to: 'parent', method: 'GET', target: '/~shows/a' }
  const token = makePeerToken([SECRET], { from: 'child', tier: 'parents', event }, request, systemClock.now())
  return get(`${parent.url}${request.target}`, { headers: { 'Edgeward-Peer': token ?? '' } })
}

t.test('an edge that is behind waits until it is not, or says so in time', async (t) => {
  t.equal((await askedWith('')).text, 'version 1')
  publish(2)
  control.deaf.add('parent')
  const event = control.purge(byTag)
  const waiting = askedWith(event)
  // Of the second that it waits most is left for the event to come.
  await delay(100)
  control.deaf.delete('parent')
  t.equal((await waiting).text, 'version 2', 'heard while it was waited for')

  publish(3)
  control.deaf.add('parent')
  const later = control.purge(byTag)
  const begun = systemClock.monotonic()
  const refused = await askedWith(later)
  t.match(refused, { status: 503, headers: { 'edgeward-peer': 'peer_behind' } })
  t.ok(systemClock.monotonic() - begun < 8000)
  t.equal((await askedWith(event)).text, 'version 2', 'who knows no more than it does is answered')
  control.deaf.delete('parent')
  await until('it has heard', async () => (await askedWith(later)).text === 'version 3')
})

t.test('a child that has applied a purge never gets from its parent what was purged', async (t) => {
  control.guidance.set('child', guidanceOf('2', [SECRET], [{ kind: 'parents', edges: ['parent'] }], [parent]))
  await guided(child, '2')
  await until('the child has the newest', async () => (await ask(child, '/a')).text === 'version 3')
  for (let version = 4; version < 12; version++) {
    publish(version)
    // Now before the child hears of it, now long after, now not at all.
    control.deaf.add('parent')
    control.purge({ ...byTag, soft: version % 2 === 0 })
    const hearing = delay((version % 4) * 60).then(() => version % 3 === 0 || control.deaf.delete('parent'))
    const first = await until('the child has applied it', async () => {
      const reply = await ask(child, '/a')
      return outcomeOf(reply) === 'hit' ? undefined : reply
    })
    t.equal(first.text, `version ${version}`)
    t.equal((await ask(child, '/a')).text, `version ${version}`)
    await hearing
    control.deaf.delete('parent')
  }
  t.ok(origin.count('/a') > 8)
})
