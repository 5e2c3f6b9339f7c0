// DNS answers of a changed configuration: names, records and edges are those of now, the zone's serial has grown, and what
// comes in is answered all the while over the same sockets.
import t from 'tap'
import { dataOf, dig } from '../kit/dns-cluster.ts'
import { clusterSettings, propertyOf, startRolloutScheduler } from '../kit/rollout.ts'
import { edgeEntry, keyOf, reportOf } from '../kit/scheduler.ts'
import { until } from '../kit/until.ts'

const DNS = {
  listen: '127.0.0.1:0',
  zone: 'cdn.example.com',
  nameservers: ['ns1.example.net'],
  rateLimit: false,
}
const settings = await clusterSettings('http://127.0.0.1:9', ['gz-1'], { dns: DNS })
settings['edges'] = [edgeEntry('gz-1', 'guangzhou', { addresses: ['192.0.2.11'] })]
const scheduler = await startRolloutScheduler(t, settings)
const port = Number(/\d+$/.exec(scheduler.daemon.listeners['dns'] ?? '')?.[0])

const beat = setInterval(() => void report().catch(() => {}), 200)
t.teardown(() => clearInterval(beat))
async function report(): Promise<void> {
  const headers = { authorization: `Bearer ${keyOf('gz-1')}`, 'content-type': 'application/json' }
  const body = JSON.stringify(reportOf('gz-1', { uptimeMs: 3_600_000 }))
  await fetch(`${scheduler.control}/edge/v1/report`, { method: 'POST', headers, body })
}

const addressesOf = async (name: string) => dataOf((await dig(port, `${name} A`)).answer, 'A')
const serial = async () =>
  Number(dataOf((await dig(port, 'cdn.example.com SOA')).answer, 'SOA')[0]?.split(' ')[2])

t.test('another address, a name and a record more', async (t) => {
  await until('it answers', async () => (await addressesOf('shows.cdn.example.com')).length > 0)
  const before = await serial()
  t.equal((await dig(port, 'films.cdn.example.com A')).status, 'NXDOMAIN')
  await scheduler.change((file) => {
    file['edges'] = [edgeEntry('gz-1', 'guangzhou', { addresses: ['192.0.2.12'] })]
    file['properties'] = [propertyOf('shows'), propertyOf('films')]
    const records = [{ name: 'note', type: 'TXT', data: 'hello' }]
    file['scheduler'] = Object.assign({}, file['scheduler'], { dns: { ...DNS, records } })
  })
  scheduler.daemon.signal('SIGHUP')
  await scheduler.untilRuns(2)
  for (const name of ['shows', 'films']) {
    t.same(await addressesOf(`${name}.cdn.example.com`), ['192.0.2.12'], 'nothing that was prepared before')
  }
  t.match((await dig(port, 'note.cdn.example.com TXT')).answer[0], /"hello"/)
  t.ok((await serial()) > before)
})

t.test('a listener is not changed while it runs', async (t) => {
  await scheduler.change((file) => {
    file['scheduler'] = Object.assign({}, file['scheduler'], { dns: { ...DNS, listen: '127.0.0.2:53' } })
  })
  t.equal(await scheduler.apply(), 'nothing is changed: needs a restart: scheduler.dns.listen')
  await scheduler.change((file) => {
    file['scheduler'] = Object.assign({}, file['scheduler'], { dns: undefined })
  })
  t.match(await scheduler.apply(), /needs a restart: scheduler\.dns$/)
})
