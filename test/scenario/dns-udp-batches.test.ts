// Queries over UDP that wait in the kernel side by side: each is answered by what it asked itself, to the socket that
// asked, for its own peer, whether they are taken many a call or one by one; and what is no query is answered not at all.
import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import dnsPacket from 'dns-packet'
import t from 'tap'
import type { Test } from 'tap'
import { nameBytes, optBytes, optionBytes, queryBytes } from '../kit/dns-bytes.ts'
import { openAskers, whileStill } from '../kit/dns-burst.ts'
import { SHOWS, ZONE, startDnsCluster } from '../kit/dns-cluster.ts'
import type { DnsCluster } from '../kit/dns-cluster.ts'
import { metricOf } from '../kit/metric.ts'
import { edgeEntry } from '../kit/scheduler.ts'
import { startSchedulerProcess } from '../kit/scheduler-process.ts'
import type { TestScope } from '../kit/scope.ts'

t.jobs = 2

const STEERED = `Shows.${ZONE}`
const TEXT = 'x'.repeat(900)
/** Of one edge each, so that an answer tells its site, and is the same octets whenever it is given. */
const SITES = [
  { site: 'guangzhou', a: '192.0.2.11', aaaa: '2001:db8:1::11', networks: ['127.0.1.0/24', '198.18.0.0/16'] },
  {
    site: 'frankfurt',
    a: '192.0.2.21',
    aaaa: '2001:db8:2::21',
    networks: ['127.0.2.0/24', '198.19.0.0/16', '::1/128', '2001:db8:c::/48'],
  },
  { site: 'oslo', a: '192.0.2.31', aaaa: '2001:db8:3::31', networks: ['127.0.3.0/24'] },
] as const
const CLUSTER = {
  properties: [SHOWS],
  sites: SITES.map(({ site, networks }) => ({
    id: site,
    location: { lat: 50, lon: 10 },
    coverage: { networks },
  })),
  edges: SITES.map(({ site, a, aaaa }) => edgeEntry(`${site}-1`, site, { addresses: [a, aaaa] })),
}
const DNS = { zone: ZONE, nameservers: ['ns1.example.net'], rateLimit: false }
const RECORDS = [{ name: 'note', type: 'TXT', data: TEXT }]

function start(t: TestScope, dns: Record<string, unknown>) {
  return startDnsCluster(t, { records: RECORDS, ...dns }, CLUSTER)
}

/** With flags of Node. */
async function startFlagged(t: TestScope, flags: string, dns: Record<string, unknown>): Promise<DnsCluster> {
  const own = { steering: { listen: '127.0.0.1:0' }, control: { listen: '127.0.0.1:0' } }
  const scheduler = await startSchedulerProcess(
    t,
    {
      ...CLUSTER,
      scheduler: { ...own, admin: { listen: '127.0.0.1:0' }, dns: { ...DNS, records: RECORDS, ...dns } },
    },
    // In place of env(1), which the kit puts before the program.
    { within: ['sh', '-c', `shift 2; node=$1; shift; unset NODE_OPTIONS; exec "$node" ${flags} "$@"`] },
  )
  for (const { site } of SITES) {
    scheduler.keepReporting(`${site}-1`, { uptimeMs: 1e9 })
    // oxlint-disable-next-line no-await-in-loop -- all are up within the first wait
    await scheduler.untilState(`${site}-1`, 'up')
  }
  const listeners = (scheduler.daemon.listeners['dns'] ?? '').split(' ')
  return { scheduler, listeners, port: portOf(listeners[0]), silence: () => {}, override: async () => {} }
}

function portOf(listener = ''): number {
  return Number(/\d+$/.exec(listener)?.[0])
}

/** Four sockets of each network, and as many of `::1`. */
const IPV4 = [1, 2, 3].flatMap((third) => [1, 7, 7, 250].map((last) => `127.0.${third}.${last}`))
const IPV6 = IPV4.map(() => '::1')

function siteOf(address: string): (typeof SITES)[number] {
  return SITES[isIPv6(address) ? 1 : Number(address.split('.')[2]) - 1] ?? SITES[0]
}

/** A packet, and what its reply says in the words of `said`; null: there is none. */
interface Asked {
  readonly packet: Buffer
  readonly says: string | null
}

interface Question {
  readonly name: string
  readonly type: 'A' | 'AAAA' | 'TXT'
  /** What is answered: data, or the code of an error. */
  readonly data: string
  /** Its option, and how it is read in the reply. */
  readonly subnet?: readonly [hex: string, text: string]
  readonly hasEdns?: boolean
  /** Padded to that length (RFC 7830). */
  readonly bytes?: number
}

const TYPES = { A: 1, AAAA: 28, TXT: 16 }

function asked(id: number, { name, type, data, subnet, hasEdns = true, bytes }: Question): Asked {
  // Letters in a case that only this one has (0x20).
  const letters = name
    .split('')
    .map((letter, i) => (((id * 0x9e37) >>> (i % 16)) & 1 ? letter.toUpperCase() : letter))
  const cased = letters.join('')
  const options = subnet === undefined ? [] : [optionBytes(8, subnet[0])]
  const made = (more: readonly Buffer[]) => {
    const records = hasEdns ? [optBytes({ options: [...options, ...more] })] : []
    return queryBytes({ name: nameBytes(cased), type: TYPES[type], records })
  }
  const packet =
    bytes === undefined ? made([]) : made([optionBytes(12, '00'.repeat(bytes - made([]).length - 4))])
  packet.writeUInt16BE(id)
  return { packet, says: [id, cased, type, data, ...(subnet?.slice(1) ?? [])].join(' ') }
}

/** What one socket of a peer asks, no two of a burst alike. */
function casesOf(socket: number, address: string): readonly Asked[] {
  const { a, aaaa } = siteOf(address)
  const [guangzhou, frankfurt] = SITES
  const octet = (0x80 + socket).toString(16)
  const inGuangzhou = [`00011800c612${octet}`, `198.18.${0x80 + socket}.0/24`] as const
  const inFrankfurt = [`00011800c613${octet}`, `198.19.${0x80 + socket}.0/24`] as const
  const inFrankfurt6 = [`0002380020010db8000c${octet}`, `2001:db8:c:${octet}00::/56`] as const
  const own = { name: STEERED, type: 'A', data: a } as const
  // Few, since they take much of what the kernel lets wait.
  const large = socket % 3 === 0 ? [4096, 4097] : [100, 200]
  const makers: readonly ((id: number) => Asked)[] = [
    (id) => asked(id, { ...own, hasEdns: false }),
    (id) => asked(id, { ...own, data: guangzhou.a, subnet: inGuangzhou }),
    (id) => asked(id, { name: `note.${ZONE}`, type: 'TXT', data: TEXT }),
    (id) => asked(id, { ...own, type: 'AAAA', data: aaaa }),
    (id) => asked(id, { name: `gone${socket}.${ZONE}`, type: 'A', data: 'NXDOMAIN', subnet: inFrankfurt }),
    (id) => ({ packet: asked(id, own).packet.subarray(0, 13 + (socket % 20)), says: `${id} FORMERR` }),
    (id) => asked(id, { name: STEERED, type: 'AAAA', data: frankfurt.aaaa, subnet: inFrankfurt }),
    (id) => unanswered(asked(id, own), (packet) => packet.writeUInt16BE(0x8400, 2)),
    (id) => asked(id, { ...own, bytes: large[0] ?? 0 }),
    (id) => unlessLonger(asked(id, { ...own, bytes: large[1] ?? 0 })),
    (id) => asked(id, { name: `other${socket}.${ZONE}`, type: 'TXT', data: 'NXDOMAIN', hasEdns: false }),
    (id) => unanswered({ ...asked(id, own), packet: asked(id, own).packet.subarray(0, socket % 12) }),
    (id) => asked(id, { ...own, data: frankfurt.a, subnet: inFrankfurt6 }),
    (id) => asked(id, own),
  ]
  // Those of each socket begin elsewhere, so that every kind lies beside every other.
  return makers.flatMap((_, i) => {
    const at = (i + socket) % makers.length
    return makers[at]?.(100 * socket + at) ?? []
  })
}

/** No query is. */
function unlessLonger(one: Asked): Asked {
  return one.packet.length > 4096 ? unanswered(one) : one
}

function unanswered({ packet }: Asked, change: (packet: Buffer) => void = () => {}): Asked {
  change(packet)
  return { packet, says: null }
}

function said(reply: Buffer): string {
  const { id, flag_qr, questions = [], answers = [], additionals = [] } = dnsPacket.decode(reply)
  const rcode = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN'][(reply[3] ?? 0) & 0x0f] ?? ''
  const data = answers.map((record) => {
    if (record.type === 'TXT')
      return Buffer.concat([record.data].flat().map((part) => Buffer.from(part))).toString()
    return record.type === 'A' || record.type === 'AAAA' ? record.data : record.type
  })
  const subnets = additionals.flatMap((record) =>
    (record.type === 'OPT' ? record.options : []).map((option) =>
      option.type === 'CLIENT_SUBNET' ? `${option.ip}/${option.sourcePrefixLength}` : option.type,
    ),
  )
  const question = questions.map(({ name, type }) => `${name} ${type}`)
  return [
    id,
    ...question,
    ...(rcode === 'NOERROR' ? data : [rcode]),
    ...subnets,
    ...(flag_qr ? [] : ['a query']),
  ].join(' ')
}

interface Burst {
  readonly cluster: DnsCluster
  readonly from: readonly { readonly port: number; readonly addresses: readonly string[] }[]
  readonly isBatched: boolean
}

/** All cases of all sockets at once: each gets what it is to get, the octets of it as when it is asked alone. */
async function expectEachItsOwn(t: Test, { cluster, from, isBatched }: Burst): Promise<void> {
  const opened = await Promise.all(from.map(({ port, addresses }) => openAskers(t, port, addresses)))
  const sockets = opened.flat().map((asker, i) => ({ asker, cases: casesOf(i, asker.address) }))
  const alone = new Map<number, string>()
  for (const { asker, cases } of sockets)
    for (const { packet, says } of cases)
      // oxlint-disable-next-line no-await-in-loop -- alone
      if (says !== null) {
        const reply = await asker.ask(packet)
        alone.set(reply.readUInt16BE(0), reply.toString('hex'))
      }

  await whileStill([cluster.scheduler.daemon], async () => {
    // One of each socket, then the next of each.
    for (const i of sockets[0]?.cases.keys() ?? [])
      // oxlint-disable-next-line no-await-in-loop -- in this order
      await Promise.all(sockets.map(({ asker, cases }) => asker.send(cases[i]?.packet ?? Buffer.alloc(0))))
  })

  for (const { asker, cases } of sockets) {
    const expected = cases.flatMap(({ says }) => says ?? [])
    // oxlint-disable-next-line no-await-in-loop -- they come together
    await asker.has(expected.length)
    // What else came before this was sent before it.
    // oxlint-disable-next-line no-await-in-loop -- they come together
    await asker.ask(queryBytes({ name: nameBytes(STEERED) }))
    const words = asker.replies.map(said)
    t.strictSame(words.toSorted(), expected.toSorted(), `to ${asker.address}`)
    t.strictSame(
      asker.replies.map((reply) => reply.toString('hex')),
      asker.replies.map((reply) => alone.get(reply.readUInt16BE(0))),
      'the same octets as alone',
    )
  }
  // But for the first of a turn, and those that Node takes after a turn's last call.
  const count = sockets.reduce((sum, { cases }) => sum + cases.length, 0)
  const batched = await metricOf(cluster.scheduler.admin, 'edgeward_scheduler_dns_udp_batched_total')
  if (isBatched) t.ok(batched > 0.8 * count, `${batched} of ${count} many a call`)
  else t.equal(batched, 0)
}

for (const udpBatches of [true, false]) {
  const how = udpBatches ? 'many a call' : 'one by one'

  t.test(`IPv4 and IPv6 side by side, ${how}`, { buffered: true }, async (t) => {
    const cluster = await start(t, { listen: ['127.0.0.1:0', '[::1]:0'], udpBatches })
    const [port4, port6] = cluster.listeners.map(portOf)
    const from = [
      { port: port4 ?? 0, addresses: IPV4 },
      { port: port6 ?? 0, addresses: IPV6 },
    ]
    await expectEachItsOwn(t, { cluster, from, isBatched: udpBatches })
    t.notMatch(
      cluster.scheduler.daemon.stderr(),
      'one packet a call',
      'nobody is warned of what was asked for',
    )
  })

  t.test(`one socket for both families, ${how}`, { buffered: true }, async (t) => {
    const cluster = await start(t, { listen: '[::]:0', udpBatches })
    const from = [{ port: cluster.port, addresses: IPV4.flatMap((address) => [address, '::1']) }]
    await expectEachItsOwn(t, { cluster, from, isBatched: udpBatches })
  })
}

const roomBytes = Number(await readFile('/proc/sys/net/core/rmem_max', 'latin1').catch(() => '0'))
const noRoom = roomBytes < 2 ** 20 && 'the kernel lets too little wait: net.core.rmem_max'

t.test('more than are answered in one turn', { buffered: true, skip: noRoom }, async (t) => {
  const cluster = await start(t, { listen: '[::]:0' })
  const addresses = Array.from({ length: 3 }, () => [...IPV4, ...IPV6]).flat()
  await expectEachItsOwn(t, { cluster, from: [{ port: cluster.port, addresses }], isBatched: true })
})

t.test(
  'where Node has no FFI, one line says so, and each is answered one by one',
  { buffered: true },
  async (t) => {
    const cluster = await startFlagged(t, '--no-experimental-ffi', { listen: ['127.0.0.1:0', '[::1]:0'] })
    const from = [{ port: cluster.port, addresses: IPV4 }]
    await expectEachItsOwn(t, { cluster, from, isBatched: false })
    const lines = cluster.scheduler.daemon.stderr().split('\n')
    const [line, ...more] = lines.filter((text) => text.includes('one packet a call'))
    t.match(line, /"level":40.*node:ffi/)
    t.strictSame(more, [], 'once for all listeners')
  },
)
