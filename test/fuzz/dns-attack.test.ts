// Attacks on the name server's sockets, a real process under them: connections that send slowly, lie about lengths, read
// nothing or are too many, and floods. What others ask over UDP is answered meanwhile, and memory stays bounded.
import { readFile } from 'node:fs/promises'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { optBytes, optionBytes, queryBytes, uint16 } from '../kit/dns-bytes.ts'
import { ZONE, dig, startDnsCluster } from '../kit/dns-cluster.ts'
import type { DnsCluster } from '../kit/dns-cluster.ts'
import { openRaw } from '../kit/raw-client.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

const STEERED = `shows.${ZONE}`

/** With its length before it, as TCP has it. */
function framed(query: Buffer): Buffer {
  return Buffer.concat([uint16(query.length), query])
}

function numbered(id: number): Buffer {
  const query = queryBytes({ name: STEERED })
  query.writeUInt16BE(id, 0)
  return framed(query)
}

function connectTo(t: TestScope, { port }: DnsCluster) {
  return openRaw(t, `http://127.0.0.1:${port}`)
}

async function residentMiB({ scheduler }: DnsCluster): Promise<number> {
  const status = await readFile(`/proc/${scheduler.daemon.pid}/status`, 'latin1')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

t.test('connections that do not behave', async (t) => {
  const cluster = await startDnsCluster(t)

  const ahead = await connectTo(t, cluster)
  ahead.socket.end(Buffer.concat(Array.from({ length: 500 }, (_, id) => numbered(id))))
  const replies = await ahead.readAll()
  const ids: number[] = []
  for (let at = 0; at < replies.length; at += 2 + replies.readUInt16BE(at))
    ids.push(replies.readUInt16BE(at + 2))
  t.strictSame(ids, [...ids.keys()], 'in order, after the client has ended its side')
  t.equal(ids.length, 500)

  const bytewise = await connectTo(t, cluster)
  for (const octet of numbered(1)) {
    bytewise.send(Buffer.of(octet))
    // oxlint-disable-next-line no-await-in-loop -- one packet each
    await delay(1)
  }
  t.ok(await bytewise.has(40), 'an octet at a time')

  const liar = await connectTo(t, cluster)
  liar.send(Buffer.concat([numbered(2), uint16(0xffff), Buffer.alloc(100)]))
  t.ok((await liar.readAll()).length < 100, 'closed at a length that no query has')

  const slow = await connectTo(t, cluster)
  const drip = setInterval(() => slow.send(Buffer.of(0, 0)), 500)
  t.teardown(() => clearInterval(drip))
  const startMs = systemClock.monotonic()
  await slow.closed
  t.ok(systemClock.monotonic() - startMs < 15_000, 'closed without a query, however much was sent')
})

t.test('64 connections that send ahead and read nothing', async (t) => {
  const cluster = await startDnsCluster(t)
  // The smallest queries with the smallest replies: most of them in a buffer of so many octets.
  const ahead = Buffer.concat(Array.from({ length: 4096 }, () => framed(Buffer.alloc(12))))
  const before = await residentMiB(cluster)
  for (let i = 0; i < 64; i += 1) {
    const socket = connect({ host: '127.0.0.1', port: cluster.port })
    t.teardown(() => socket.destroy())
    const push = () => {
      while (socket.write(ahead));
    }
    socket
      .pause()
      .on('error', () => {})
      .on('connect', push)
      .on('drain', push)
  }
  for (let i = 0; i < 8; i += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as a resolver waits
    t.equal((await dig(cluster.port, STEERED)).status, 'NOERROR', 'UDP is answered meanwhile')
  }
  const grown = (await residentMiB(cluster)) - before
  t.ok(grown < 120, `${Math.round(grown)} MiB more`)
})

t.test('more connections than there may be, from many addresses', async (t) => {
  const cluster = await startDnsCluster(t)
  let open = 0
  let closed = 0
  for (let i = 0; i < 2500; i += 1) {
    const localAddress = `127.0.1.${1 + Math.floor(i / 60)}`
    const socket = connect({ host: '127.0.0.1', port: cluster.port, localAddress })
    t.teardown(() => socket.destroy())
    socket
      .on('error', () => {})
      .on('connect', () => (open += 1))
      .on('close', () => {
        open -= 1
        closed += 1
      })
      .resume()
  }
  await until('each is open or closed again', () => open + closed >= 2500 && open <= 2048, 8000)
  t.equal((await dig(cluster.port, `${STEERED} +tcp`)).status, 'NOERROR', 'one more is served')
})

t.test('floods of random names, types and networks', { timeout: 60_000 }, async (t) => {
  const cluster = await startDnsCluster(t, { rateLimit: { rate: 20 } })
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  let whole = 0
  let truncated = 0
  socket.on('message', (reply) => (((reply[2] ?? 0) & 0x02) === 0 ? (whole += 1) : (truncated += 1)))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const before = await residentMiB(cluster)
  const startMs = systemClock.monotonic()
  let sent = 0
  while (systemClock.monotonic() < startMs + 3000) {
    for (let i = 0; i < 200; i += 1) {
      sent += 1
      const network = (0x0b00_0000 + sent * 256).toString(16).padStart(8, '0')
      const options = [optionBytes(8, `00011800${network.slice(0, 6)}`)]
      const name = sent % 2 === 0 ? STEERED : `x${sent}.${ZONE}`
      const query = queryBytes({
        name,
        type: sent % 3 === 0 ? sent % 65_536 : 1,
        records: [optBytes({ options })],
      })
      socket.send(query, cluster.port, '127.0.0.1')
    }
    // oxlint-disable-next-line no-await-in-loop -- lets the kernel take them
    await delay(2)
  }
  t.comment(`${sent} sent, ${truncated} truncated`)
  // The name, the zone for what is not there, and failures: each has a burst of 100 and 20 a second.
  const seconds = (systemClock.monotonic() - startMs) / 1000
  t.ok(whole > 0 && whole <= 3 * (100 + 20 * (seconds + 1)), `${whole} whole replies to one network`)
  t.equal((await dig(cluster.port, `${STEERED} +tcp`)).status, 'NOERROR')
  const grown = (await residentMiB(cluster)) - before
  t.ok(grown < 200, `${Math.round(grown)} MiB more`)
})
