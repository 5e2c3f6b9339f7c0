// One fetch for any number of clients: they share it while it runs, see its bytes as they come, and do not
// depend on the client who came first.
import t from 'tap'
import { bytesOf, sha256 } from '../kit/bytes.ts'
import { cacheStatusOf } from '../kit/cache-status.ts'
import { createAgent, get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { openRaw } from '../kit/raw-client.ts'
import { startOrigin } from '../kit/scripted-origin.ts'

const CLIENTS = 1000
const BODY = bytesOf(1, 250_000)
const FRESH = { 'Cache-Control': 'public, max-age=600', ETag: '"v1"' }
const REQUEST = 'GET /film.mp4 HTTP/1.1\r\nHost: a.example\r\n\r\n'

const SHORT = BODY.subarray(0, 64_000)
const WAYS = [
  { framing: 'length', slice: '2MiB' },
  { framing: 'length', slice: '16KiB' },
  { framing: 'chunked', slice: '2MiB' },
] as const

for (const { framing, slice } of WAYS) {
  const title = `a thousand clients for one cold object make one origin request (${framing}, slices of ${slice})`
  t.test(title, { timeout: 60_000 }, async (t) => {
    const origin = await startOrigin(t, {
      '/film.mp4': {
        body: SHORT,
        framing,
        fields: FRESH,
        trickle: { bytes: 8192, everyMs: 2 },
        pauseAt: 40_000,
      },
    })
    const edge = await startEdge(t, { origin: origin.url, slice })
    const agent = createAgent(t)
    const begun = new Set<number>()

    const replies = await Promise.all(
      Array.from({ length: CLIENTS }, (_, client) =>
        get(`${edge.url}/film.mp4`, {
          agent,
          // The origin sends the rest when every client has read some of the beginning.
          onData: () => {
            if (begun.add(client).size === CLIENTS) origin.resume('/film.mp4')
          },
        }),
      ),
    )

    t.equal(origin.count('/film.mp4'), 1)
    t.ok(replies.every(({ status, complete }) => status === 200 && complete))
    t.strictSame([...new Set(replies.map(({ body }) => sha256(body)))], [sha256(SHORT)])
    const alone = replies.map(cacheStatusOf).filter((said) => !said.has('hit') && !said.has('collapsed'))
    t.equal(alone.length, 1, 'one reply says that it was fetched, the others that they shared')
  })
}

t.test('a follower reads the first bytes before the origin has sent the last', async (t) => {
  const origin = await startOrigin(t, { '/film.mp4': { body: BODY, fields: FRESH, pauseAt: 100_000 } })
  const edge = await startEdge(t, { origin: origin.url })
  const leader = await openRaw(t, edge.url)
  const follower = await openRaw(t, edge.url)

  leader.send(REQUEST)
  await origin.paused('/film.mp4')
  follower.send(REQUEST)
  t.equal((await follower.readHead())?.status, 200)
  t.ok(await follower.has(100_000), 'all that has come from the origin')
  origin.resume('/film.mp4')

  t.ok(await follower.has(BODY.length))
  t.ok((await leader.read())?.body.equals(BODY))
  t.equal(origin.count('/film.mp4'), 1)
})

for (const [slice, requestsMax] of [['2MiB', 1] as const, ['16KiB', 16] as const]) {
  t.test(`followers get all of it when the first client leaves (slices of ${slice})`, async (t) => {
    const origin = await startOrigin(t, { '/film.mp4': { body: BODY, fields: FRESH, pauseAt: 100_000 } })
    const edge = await startEdge(t, { origin: origin.url, slice })
    const leader = await openRaw(t, edge.url)
    const followers = await Promise.all([1, 2, 3].map(() => openRaw(t, edge.url)))

    leader.send(REQUEST)
    t.ok(await leader.has(50_000))
    for (const follower of followers) follower.send(REQUEST)
    await Promise.all(followers.map((follower) => follower.has(50_000)))
    leader.leave()
    await leader.closed
    origin.resume('/film.mp4')

    for (const follower of followers) t.ok((await follower.read())?.body.equals(BODY))
    const asked = origin.count('/film.mp4')
    t.ok(asked <= requestsMax, `${asked} origin requests, at most one a slice`)
  })
}

t.test('a client that comes after the only one has left gets all of it', async (t) => {
  const origin = await startOrigin(t, { '/film.mp4': { body: BODY, fields: FRESH, pauseAt: 100_000 } })
  const edge = await startEdge(t, { origin: origin.url, slice: '64KiB' })
  const first = await openRaw(t, edge.url)

  first.send(REQUEST)
  t.ok(await first.has(50_000))
  first.leave()
  await first.closed
  origin.resume('/film.mp4')

  const reply = await get(`${edge.url}/film.mp4`)
  t.ok(reply.complete)
  t.ok(reply.body.equals(BODY))
})

t.test('clients of different ranges of one cold object each get theirs', async (t) => {
  const origin = await startOrigin(t, { '/film.mp4': { body: BODY, fields: FRESH } })
  const edge = await startEdge(t, { origin: origin.url, slice: '64KiB' })
  const starts = Array.from({ length: 62 }, (_, i) => i * 4000)

  const replies = await Promise.all(
    starts.map((start) =>
      get(`${edge.url}/film.mp4`, { headers: { Range: `bytes=${start}-${start + 3999}` } }),
    ),
  )

  t.ok(
    replies.every(
      ({ status, body }, i) => status === 206 && body.equals(BODY.subarray(i * 4000, i * 4000 + 4000)),
    ),
  )
  t.ok(origin.count('/film.mp4') <= 4, `at most one request a slice: ${origin.count('/film.mp4')}`)
})
