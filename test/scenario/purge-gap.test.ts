// An edge is away for more events than schedulers keep: what it has missed nobody can tell it, so it takes all it has as to
// be asked for again, once.
import t from 'tap'
import { EVENTS_KEPT_MAX } from '../../scheduler/limits.ts'
import { answer, fill, seen, startPair } from '../kit/purged-pair.ts'
import { openRaw } from '../kit/raw-client.ts'
import { applied, postPurge } from '../kit/purging.ts'

/** A request of its own, to be sent one behind the other. */
function purgeOf(path: string): string {
  const body = JSON.stringify({ url: `http://shows.example.com${path}` })
  const fields = `Host: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`
  return `POST /api/v1/purges HTTP/1.1\r\n${fields}\r\n${body}`
}

t.test('the log has forgotten where an edge stands', async (t) => {
  const [cluster, edge, origin] = await startPair(t)
  await fill(edge)
  await Promise.all([edge.stop('SIGKILL'), cluster.edge('e-2').stop()])

  await postPurge(cluster.admin, { url: 'http://shows.example.com/a' })
  const client = await openRaw(t, cluster.admin)
  const others = Array.from({ length: EVENTS_KEPT_MAX }, (_, i) => purgeOf(`/other-${i}`))
  client.send(`${others.join('')}GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  const replies = (await client.readAll()).toString().match(/HTTP\/1.1 200 OK/g)
  t.equal(replies?.length, EVENTS_KEPT_MAX + 1)
  origin.on('/a', answer('/a', 2))
  await Promise.all([edge.start(), cluster.edge('e-2').start()])
  t.same(await seen(edge), ['stale: /a 2', 'stale 304: /b 1'], 'nothing is served unasked')
  t.same(await seen(edge), ['hit: /a 2', 'hit: /b 1'], 'and no more')

  const id = await postPurge(cluster.admin, { url: 'http://shows.example.com/b' })
  await applied(cluster.admin, id, ['e-1', 'e-2'])
  t.same(await seen(edge), ['hit: /a 2', 'uri-miss: /b 1'], 'it hears as before')
})
