// The UDP socket of the name server, whether packets are taken many a call or one by one: who else may have its port, and
// how it ends.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { optBytes, optionBytes, queryBytes } from '../kit/dns-bytes.ts'
import { openAskers, whileStill } from '../kit/dns-burst.ts'
import type { UdpAsker } from '../kit/dns-burst.ts'
import { ZONE, startDnsCluster } from '../kit/dns-cluster.ts'
import { freePort } from '../kit/ports.ts'
import { DaemonFailed } from '../kit/process.ts'

t.jobs = 2

const NAME = `shows.${ZONE}`

t.test('a port that is taken over UDP alone is named, with what moves it', { buffered: true }, async (t) => {
  for (const [type, host] of [
    ['udp4', '127.0.0.1'],
    ['udp6', '::1'],
  ] as const) {
    const port = await freePort(host)
    const holder = createSocket(type).bind(port, host)
    t.teardown(() => holder.close())
    await once(holder, 'listening')
    const listen = `${type === 'udp6' ? `[${host}]` : host}:${port}`
    const error = await startDnsCluster(t, { listen }, { reports: false }).catch((reason: unknown) => reason)
    if (!(error instanceof DaemonFailed)) throw error
    t.equal(error.status.code, 1)
    t.match(error.stderr, `port ${port} on ${host} is taken; change scheduler.dns.listen`)
    t.notMatch(error.stderr, /^ {4}at /m, 'without a stack')
  }
})

t.test('a port that it listens on is not taken from it', { buffered: true }, async (t) => {
  for (const udpBatches of [false, true]) {
    const { port } = await startDnsCluster(t, { udpBatches }, { reports: false })
    const thief = createSocket({ type: 'udp4', reuseAddr: true })
    t.teardown(() => thief.close())
    thief.bind(port, '127.0.0.1')
    await t.rejects(once(thief, 'listening'), { code: 'EADDRINUSE' }, `udpBatches: ${udpBatches}`)
  }
})

t.test('two schedulers share a port', { buffered: true }, async (t) => {
  const listen = `127.0.0.1:${await freePort()}`
  const shared = { listen, reusePort: true }
  const [one, two] = await Promise.all([
    startDnsCluster(t, { ...shared, nsid: 'one' }),
    startDnsCluster(t, { ...shared, nsid: 'two' }),
  ])
  const askers = await openAskers(
    t,
    one.port,
    Array.from({ length: 64 }, () => '127.0.0.1'),
  )
  const query = queryBytes({ name: NAME, records: [optBytes({ options: [optionBytes(3)] })] })
  await whileStill([one.scheduler.daemon, two.scheduler.daemon], () =>
    Promise.all(askers.flatMap((asker) => Array.from({ length: 4 }, () => asker.send(query)))),
  )
  await Promise.all(askers.map((asker) => asker.has(4)))
  const servers = askers.map(
    ({ replies }) => new Set(replies.map((reply) => reply.toString('latin1').slice(-3))),
  )
  t.strictSame(
    servers
      .flatMap((names) => [...names])
      .toSorted()
      .filter((name, i, all) => name !== all[i - 1]),
    ['one', 'two'],
    'both take their part',
  )
  t.ok(
    servers.every(({ size }) => size === 1),
    'a socket is always answered by the same',
  )
})

t.test('it ends while queries come, and while many wait', { buffered: true }, async (t) => {
  for (const listen of [['127.0.0.1:0', '[::1]:0'], '[::]:0']) {
    const { scheduler, port } = await startDnsCluster(t, { listen })
    const askers = await openAskers(
      t,
      port,
      Array.from({ length: 12 }, () => '127.0.0.1'),
    )
    const query = queryBytes({ name: NAME })
    // As fast as they are sent; one that nobody listens for any more is gone.
    const over = new AbortController()
    const flood = async (asker: UdpAsker) => {
      while (!over.signal.aborted) {
        await asker.send(query)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const floods = Promise.all(askers.map(flood))
    await Promise.all(askers.map((asker) => asker.has(20)))
    await whileStill([scheduler.daemon], async () => {
      await Promise.all(askers.map((asker) => asker.send(query)))
      scheduler.daemon.signal('SIGTERM')
    })
    t.strictSame(await scheduler.daemon.exited, { code: 0, signal: null })
    over.abort()
    await floods
    t.notMatch(scheduler.daemon.stderr(), /"level":[56]0|^ {4}at /m, 'without a word of it')
  }
})
