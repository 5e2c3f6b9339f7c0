// Guidance on its way to a real edge: fetched as soon as a reply names it, kept over a restart without scheduler, refused
// where it is none; and secrets hold until they run out, whether they are named again or not.
import { readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { guidanceSchema } from '../../src/wire/guidance.ts'
import type { PeerSecret } from '../../src/wire/guidance.ts'
import { makePeerToken } from '../../src/wire/peer-token.ts'
import { get } from '../kit/client.ts'
import { guidanceOf, guided, joinedTo, secretNow, startControl } from '../kit/control-server.ts'
import type { TestEdge } from '../kit/edge.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const origin = await startOrigin(t, { '/a': { body: 'a', fields: { 'Cache-Control': 'max-age=600' } } })
const control = await startControl(t, {
  origins: [{ id: 'studio', url: origin.url }],
  properties: [{ id: 'shows', hosts: ['shows.example.com'], origins: [{ id: 'studio' }] }],
})
const [FIRST, SECOND] = [secretNow('first', 1), secretNow('second', 2)]
control.guidance.set('gz-1', guidanceOf('1', [FIRST]))
const edge = await joinedTo(t, control, 'gz-1')
const fileOf = (one: TestEdge) => path.join(one.directory, 'cache', 'edge-guidance.json')

/** What the edge says to another that proves itself with this secret. */
async function askedWith(secret: PeerSecret): Promise<number> {
  const request = { to: 'gz-1', method: 'GET', target: '/~shows/a' }
  const claims = { from: 'gz-2', tier: 'peers', event: '' } as const
  const token = makePeerToken([secret], claims, request, systemClock.now()) ?? ''
  return (await get(`${edge.url}${request.target}`, { headers: { 'Edgeward-Peer': token } })).status
}

t.test('it is fetched when a reply names it, and kept for its owner alone', async (t) => {
  await edge.start()
  await guided(edge, '1')
  t.equal((await stat(fileOf(edge))).mode & 0o777, 0o600)
  t.equal(await askedWith(FIRST), 200)
  t.equal(await askedWith(SECOND), 403)
})

t.test('secrets that are not named any more are good until they run out', async (t) => {
  control.guidance.set('gz-1', guidanceOf('2', [SECOND]))
  await guided(edge, '2')
  t.same([await askedWith(FIRST), await askedWith(SECOND)], [200, 200])
  const kept = guidanceSchema.parse(JSON.parse(await readFile(fileOf(edge), 'utf8')))
  t.same(
    kept.secrets.map(({ id }) => id),
    ['second', 'first'],
  )
  const changed = { ...FIRST, key: secretNow('any', 9).key }
  control.guidance.set('gz-1', guidanceOf('3', [changed]))
  await guided(edge, '3')
  t.equal(await askedWith(FIRST), 403, 'named with another key: that one')
  t.equal(await askedWith(changed), 200)
})

t.test('what is no guidance changes nothing, and is told once', async (t) => {
  const told = () => edge.log().filter(({ msg }) => msg?.startsWith('guidance refused'))
  control.guidance.set('gz-1', { ...guidanceOf('4', [SECOND]), site: 7 })
  await until('it is refused', () => told().length > 0)
  t.match(told(), [{ version: '4', reason: /^site: / }])
  const reports = control.reports
  await until('it has reported twice since', () => control.reports > reports + 2)
  t.equal(told().length, 1)
  t.same([await askedWith(SECOND)], [200])
  control.guidance.set('gz-1', guidanceOf('5', [SECOND]))
  await guided(edge, '5')
})

t.test(
  'an edge without scheduler starts with what it had, and with none where that is damaged',
  async (t) => {
    await edge.stop()
    await control.stop()
    await edge.start()
    t.equal(await askedWith(SECOND), 200)
    await edge.stop()
    await writeFile(fileOf(edge), '{"version":"5"')
    await edge.start()
    const told = () => edge.log().filter(({ msg }) => msg === 'saved guidance is not usable')
    await until('it says so', () => told().length > 0)
    t.equal(told().length, 1)
    t.equal(await askedWith(SECOND), 403)
    t.equal((await get(`${edge.url}/~shows/a`)).status, 200, 'clients are served all the same')
  },
)
