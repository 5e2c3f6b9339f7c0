// An edge that fills others is killed in the middle of bodies: what clients have had is right, and they go on from elsewhere
// or are cut. Those who come later are served as if it had never been there.
import t from 'tap'
import { bytesOf } from '../kit/bytes.ts'
import { get } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { SLICE, tiersAt } from '../kit/tiered-cluster.ts'
import { until } from '../kit/until.ts'

const FILM = bytesOf(1, 12 * SLICE + 777)
const fields = { 'Cache-Control': 'max-age=600', ETag: '"a"' }
const trickle = { bytes: 16 * 1024, everyMs: 40 }
const origin = await startOrigin(t, {})
const cluster = await startCluster(t, {
  origin: origin.url,
  sites: {
    north: { edges: ['n-1', 'n-2'] },
    south: { edges: ['s-1', 's-2'], entry: { parents: ['north'] } },
  },
  edgeConfig: {
    cache: { memory: '64MiB', slice: '64KiB', directories: [{ path: './cache', size: '1GiB' }] },
  },
})
const south = [cluster.edge('s-1'), cluster.edge('s-2')]
// Those who are asked have to know, too, who asks them.
for (const [id, edge] of cluster.edges) {
  await until(`${id} knows whom to ask`, async () => {
    const tiers = await tiersAt(edge, 'shows')
    return tiers.length === (id.startsWith('s') ? 2 : 1) && tiers.every(({ edges }) => edges.length === 2)
  })
}

t.test('a parent that is killed while bodies come from it', async (t) => {
  const paths = ['/ranges/film', '/whole/film', '/small/film']
  origin.on('/ranges/film', { body: FILM, fields, trickle })
  origin.on('/whole/film', { body: FILM, fields, ranges: 'ignore', trickle })
  origin.on('/small/film', { body: FILM.subarray(0, 3 * SLICE), fields, trickle })
  const bodyOf = (path: string) => (path === '/small/film' ? FILM.subarray(0, 3 * SLICE) : FILM)
  let begun = 0
  const asking = paths.flatMap((path) =>
    [0, 1, 2, 3].map(async (client) => {
      let first = true
      const onData = () => {
        if (first) begun++
        first = false
      }
      const url = `${south[client % 2]?.url}/~shows${path}`
      return { path, reply: await get(url, { onData }) }
    }),
  )
  await until('all bodies are on their way', () => begun === asking.length)
  for (const path of paths) {
    t.equal(origin.count(path), 1)
    t.match(origin.requests(path)[0]?.headers.via, /s-\d, .*n-\d/, 'by way of both sites')
  }
  await Promise.all(['n-1', 'n-2'].map((id) => cluster.edge(id).stop('SIGKILL')))

  const ended = await Promise.all(asking)
  for (const { path, reply } of ended) {
    t.ok(
      bodyOf(path).subarray(0, reply.body.length).equals(reply.body),
      `${path}: ${reply.body.length} bytes`,
    )
    t.equal(reply.complete, reply.body.length === bodyOf(path).length, 'whole, or seen to be cut')
    if (path !== '/whole/film') t.ok(reply.complete, `${path} goes on from the origin, by a range`)
  }
  for (const path of paths) {
    origin.on(path, { body: bodyOf(path), fields })
    for (const edge of south) {
      const reply = await get(`${edge.url}/~shows${path}`)
      t.ok(reply.status === 200 && reply.complete && reply.body.equals(bodyOf(path)), `${path} afterwards`)
    }
  }
})
