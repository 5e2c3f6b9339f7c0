// Upstreams while the configuration is replaced under them: what runs is not cut, and who is no longer named is forgotten.
import t from 'tap'
import { pullThroughChain } from '../../edge/upstream/chain.ts'
import { upstreamOrigin } from '../../edge/upstream/origin.ts'
import { Upstreams } from '../../edge/upstream/upstreams.ts'
import type { UpstreamOrigin } from '../../edge/upstream/origin.ts'
import { bytesOf } from '../kit/bytes.ts'
import { plainChain, plainOrigin } from '../kit/edge-parts.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const BODY = bytesOf(1, 300_000)
const ASKED = { primaryKey: 'p /film', path: '/film', askedAs: null, originsAlone: false }

function originAt(url: string, id: string): UpstreamOrigin {
  return upstreamOrigin(plainOrigin(url, id), { id, weight: 1, backup: false, sites: [] })
}

/** Resolves with all that came, once it has ended. */
function pull(upstreams: Upstreams, origin: UpstreamOrigin): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const pieces: Buffer[] = []
  const request = { method: 'GET', path: '/film', fields: [], body: null }
  pullThroughChain(upstreams, plainChain([origin]), ASKED, request, {
    onInterim() {},
    onHead() {},
    onData: (chunk) => void pieces.push(Buffer.from(chunk)),
    onEnd: () => resolve(Buffer.concat(pieces)),
    onError: reject,
  })
  return promise
}

t.test('an answer goes on whose origin the configuration no longer names', async (t) => {
  const server = await startOrigin(t, { '/film': { body: BODY, pauseAt: 100_000 } })
  const upstreams = new Upstreams()
  t.teardown(() => upstreams.close())
  const [before, after] = [originAt(server.url, 'before'), originAt(server.url, 'after')]
  upstreams.use([before])
  const running = pull(upstreams, before)
  await server.paused('/film')
  upstreams.use([after])
  t.same(upstreams.states, [], 'what it did is forgotten')
  server.resume('/film')
  t.ok((await running).equals(BODY))
  t.ok((await pull(upstreams, after)).equals(BODY))
  t.same(
    upstreams.states.map(({ id, totals }) => [id, totals]),
    [['after', { answered: 1, failed: 0 }]],
  )
})

t.test('one that is named anew as it was keeps what is known of it', async (t) => {
  const server = await startOrigin(t, {})
  await server.stop()
  const upstreams = new Upstreams()
  t.teardown(() => upstreams.close())
  upstreams.use([originAt(server.url, 'studio')])
  for (let i = 0; i < 5; i++)
    await t.rejects(pull(upstreams, originAt(server.url, 'studio')), { code: 'origin_unreachable' })
  upstreams.use([originAt(server.url, 'studio'), originAt(server.url, 'other')])
  t.equal(upstreams.states[0]?.isOpen, true)
  await t.rejects(pull(upstreams, originAt(server.url, 'studio')), { code: 'origin_down', status: 503 })
})

t.test('one that stands elsewhere now is not what was found of it before', async (t) => {
  const gone = await startOrigin(t, {})
  await gone.stop()
  const server = await startOrigin(t, { '/film': { body: BODY } })
  const upstreams = new Upstreams()
  t.teardown(() => upstreams.close())
  upstreams.use([originAt(gone.url, 'studio')])
  for (let i = 0; i < 5; i++)
    await t.rejects(pull(upstreams, originAt(gone.url, 'studio')), { code: 'origin_unreachable' })
  upstreams.use([originAt(server.url, 'studio')])
  t.ok((await pull(upstreams, originAt(server.url, 'studio'))).equals(BODY))
})

/** With every request: the budget of retries would be used up, and the rest of them fail with the origin well. */
for (const [why, secrets] of [
  ['no secret is good', []],
  ['it refuses the token', [{ id: 'one', key: 'k'.repeat(43), fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER }]],
] as const) {
  t.test(`another edge cannot be asked, since ${why}: the origin is, each time`, async (t) => {
    const server = await startOrigin(t, { '/film': { body: 'film' } })
    const refusal = { status: 403, fields: { 'Edgeward-Peer': 'peer_token' } }
    const owner = await startOrigin(t, { '/~p/film': refusal })
    const upstreams = new Upstreams({ edgeId: 'e-1' })
    t.teardown(() => upstreams.close())
    upstreams.guide({
      version: '1',
      site: 'one',
      secrets: [...secrets],
      edges: { 'e-2': { url: owner.url, weight: 1 } },
      chains: [{ properties: ['p'], tiers: [{ kind: 'peers', edges: ['e-2'] }] }],
      origins: {},
    })
    for (let i = 0; i < 300; i++)
      t.equal(String(await pull(upstreams, originAt(server.url, 'studio'))), 'film')
    t.equal(upstreams.budget.refused, 0)
    t.equal(owner.count('/~p/film'), secrets.length === 0 ? 0 : 300)
  })
}
